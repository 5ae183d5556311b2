import Ledger
import LightClient

/// The parts of a certified head, as all bundles have that a ledger of the tests makes.
extension EvidenceBundle {
    public var header: Header {
        get { certified.header.header }
        set {
            let (old, changes) = certified
            head = .certified(
                CertifiedHeader(header: newValue, certificate: old.certificate), after: changes)
        }
    }

    public var certificate: Certificate {
        get { certified.header.certificate }
        set {
            let (old, changes) = certified
            head = .certified(
                CertifiedHeader(header: old.header, certificate: newValue), after: changes)
        }
    }

    public var epochChanges: [EpochChange] {
        get { certified.after }
        set { head = .certified(certified.header, after: newValue) }
    }

    private var certified: (header: CertifiedHeader, after: [EpochChange]) {
        guard case .certified(let header, let changes) = head else {
            preconditionFailure("the bundle is detached")
        }
        return (header, changes)
    }
}
