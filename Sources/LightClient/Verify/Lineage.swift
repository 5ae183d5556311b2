import Encoding
import Ledger
import LedgerCrypto
import Merkle
import Records

/// The rights logs that a bundle proves, by which derived assets find their parents.
///
/// A derivation is one entry: it is the first event of the child's rights log, with a pin of each parent, and in each parent's
/// rights log the event right after what was pinned (`AssetDerive`). So a complete log of either side shows it.
struct Lineage {
    private struct RightsLog {
        let asset: Digest
        let log: ProvenLog
        let tree: LogTree
    }

    private let suite: Suite
    private var logs: [RightsLog] = []

    init(suite: Suite) {
        self.suite = suite
    }

    mutating func add(_ asset: Digest, _ log: ProvenLog, _ tree: LogTree) {
        logs.append(RightsLog(asset: asset, log: log, tree: tree))
    }

    /// The findings, each history with its asset's parents.
    func linked(
        _ findings: [ProvenAnswer.Finding]
    ) throws(EvidenceProblem) -> [ProvenAnswer.Finding] {
        var linked: [ProvenAnswer.Finding] = []
        linked.reserveCapacity(findings.count)
        for finding in findings {
            if case .assetHistory(var history) = finding {
                history.parents = try parents(of: history.asset)
                linked.append(.assetHistory(history))
            } else {
                linked.append(finding)
            }
        }
        return linked
    }

    private func parents(of child: AssetRecord) throws(EvidenceProblem) -> [ProvenParent] {
        guard !child.parents.isEmpty else { return [] }
        guard let own = logs.first(where: { $0.asset == child.id }) else {
            return child.parents.map { ProvenParent(asset: $0, pin: nil, isIncluded: false) }
        }
        let place = EvidencePlace.event(index: 0, log: EventLogKind.rights.rawValue, of: child.id)
        guard let first = own.log.events.first?.event, let pins = ParentPin.shown(in: first),
            pins.elementsEqual(child.parents, by: { $0.asset == $1 })
        else { throw EvidenceProblem(place, .otherParents) }
        var parents: [ProvenParent] = []
        for pin in pins {
            let log = logs.first { $0.asset == pin.asset }
            if let log, !isPinned(pin, in: log, by: first) {
                throw EvidenceProblem(place, .otherPin(parent: pin.asset))
            }
            parents.append(ProvenParent(asset: pin.asset, pin: pin, isIncluded: log != nil))
        }
        return parents
    }

    private func isPinned(
        _ pin: ParentPin, in parent: RightsLog, by derivation: AssetEvent
    ) -> Bool {
        guard pin.rightsSize < parent.tree.size,
            parent.tree.root(size: pin.rightsSize) == pin.rightsRoot
        else { return false }
        let next = parent.log.events[Int(pin.rightsSize)].event
        return next.entryDigest == derivation.entryDigest
    }
}

extension ParentPin {
    /// The pins that a derivation's event shows; `nil` when it is no such event.
    fileprivate static func shown(in event: AssetEvent) -> [ParentPin]? {
        guard event.kind == .transaction(.assetDerive), case .map(let fields) = event.detail,
            case .array(let items)? = fields.first(where: { $0.0 == .text("parents") })?.1
        else { return nil }
        let pins = items.compactMap { try? ParentPin.decode($0.encoded, limits: AssetEvent.limits) }
        return pins.count == items.count ? pins : nil
    }
}
