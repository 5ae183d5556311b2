import Ledger
import LedgerCrypto

/// The newest final block, as consensus knows it. Genesis is final in view 0 without a certificate.
public struct FinalPoint: Sendable, Equatable {
    public let view: UInt64
    public let subject: VoteSubject
    public let certificate: Certificate?

    public init(view: UInt64, subject: VoteSubject, certificate: Certificate?) {
        self.view = view
        self.subject = subject
        self.certificate = certificate
    }
}

/// The certificates above the final view: which views are notarized, with what, and which are nullified.
///
/// Below the newest finalization nothing is kept, but nullifications until they are handed on. Above it there is at most one notarization and one nullification
/// a view; each took a quorum, so no minority can make this grow faster than honest replicas change views.
public struct CertificateBook: Sendable {
    public private(set) var final: FinalPoint
    private var notarizations: [UInt64: Certificate] = [:]
    private var nullifications: [UInt64: Certificate] = [:]
    /// The lowest view above the final one without any certificate.
    public private(set) var openView: UInt64
    /// Nullifications that a finalization has passed, ascending, until `takePassed`.
    private var passed: [Certificate] = []

    /// Of these so many are kept for `takePassed`, the oldest: whoever cannot commit meets new ones for as long.
    public static let passedMax = 16_384

    public init(final: FinalPoint) {
        self.final = final
        openView = final.view + 1
    }

    public func notarization(_ view: UInt64) -> Certificate? { notarizations[view] }
    public func nullification(_ view: UInt64) -> Certificate? { nullifications[view] }

    /// The block notarized in `view`, where the final block counts as notarized.
    public func notarized(_ view: UInt64) -> VoteSubject? {
        view == final.view ? final.subject : notarizations[view]?.statement.subject
    }

    public func isNullified(_ view: UInt64) -> Bool { nullifications[view] != nil }

    /// Whether `certificate` would tell this book anything.
    public func isNews(_ statement: VoteStatement) -> Bool {
        guard statement.view > final.view else { return false }
        switch statement.kind {
        case .notarize: return notarizations[statement.view] == nil
        case .nullify: return nullifications[statement.view] == nil
        case .finalize: return true
        // It ends the epoch, and this book with it.
        case .recover: return false
        }
    }

    /// Files a certificate; a finalization drops everything at or below its view.
    ///
    /// - Returns: whether it was news.
    public mutating func insert(_ verified: Verified<Certificate>) -> Bool {
        let certificate = verified.value
        guard isNews(certificate.statement) else { return false }
        switch certificate.kind {
        case .notarize: notarizations[certificate.view] = certificate
        case .nullify: nullifications[certificate.view] = certificate
        case .finalize:
            guard let subject = certificate.statement.subject else { return false }
            let old = final.view
            final = FinalPoint(view: certificate.view, subject: subject, certificate: certificate)
            prune(from: old, to: certificate.view)
            openView = max(openView, certificate.view + 1)
        case .recover: return false
        }
        while notarizations[openView] != nil || nullifications[openView] != nil { openView += 1 }
        return true
    }

    private mutating func prune(from old: UInt64, to view: UInt64) {
        // A long absence makes the range longer than the tables.
        if view - old > UInt64(notarizations.count + nullifications.count) {
            passed += nullifications.filter { $0.key <= view }.sorted { $0.key < $1.key }.map(
                \.value)
            notarizations = notarizations.filter { $0.key > view }
            nullifications = nullifications.filter { $0.key > view }
        } else {
            for passing in old...view {
                notarizations[passing] = nil
                if let certificate = nullifications.removeValue(forKey: passing) {
                    passed.append(certificate)
                }
            }
        }
        passed.removeLast(max(0, passed.count - CertificateBook.passedMax))
    }

    /// The nullifications that finalizations have passed since the last call: whoever voted to finalize a block of such a view as well,
    /// has broken the rules.
    public mutating func takePassed() -> [Certificate] {
        defer { passed = [] }
        return passed
    }

    /// Whether a block proposed in `view` may have the block notarized in `parentView` as its parent: that one is
    /// notarized (or final) as `parent`, and every view between is nullified (Chan & Pass 2023, §3).
    ///
    /// - Returns: `nil` when it may; else the highest view whose certificate is lacking.
    public func lacking(parent: Digest, parentView: UInt64, view: UInt64) -> UInt64? {
        guard parentView < view, parentView >= final.view else { return parentView }
        var between = view - 1
        while between > parentView {
            if !isNullified(between) { return between }
            between -= 1
        }
        return notarized(parentView)?.header == parent ? nil : parentView
    }

    /// The parent for a proposal in `view`: the highest notarized block above which every view is nullified.
    ///
    /// - Parameter isAvailable: whether this replica has executed that block.
    public func parent(
        for view: UInt64, where isAvailable: (VoteSubject) -> Bool
    ) -> (view: UInt64, subject: VoteSubject)? {
        var candidate = view
        while candidate > final.view {
            candidate -= 1
            if let subject = notarized(candidate), isAvailable(subject) {
                return (candidate, subject)
            }
            if !isNullified(candidate) { return nil }
        }
        return nil
    }

    /// The certificates that show `parentView` to be a parent for `view`, newest first.
    public func justification(parentView: UInt64, view: UInt64) -> [Certificate] {
        var certificates: [Certificate] = []
        var between = view - 1
        while between > parentView, certificates.count < PeerLimits.justificationMax - 1 {
            if let certificate = nullifications[between] { certificates.append(certificate) }
            between -= 1
        }
        if parentView == final.view {
            if let certificate = final.certificate { certificates.append(certificate) }
        } else if let certificate = notarizations[parentView] {
            certificates.append(certificate)
        }
        return certificates
    }

    /// The certificates of the views in `range`, lowest first, at most `max`.
    public func certificates(in range: Range<UInt64>, max: Int) -> [Certificate] {
        var found: [Certificate] = []
        for view in range {
            if found.count + 2 > max { break }
            if let certificate = notarizations[view] { found.append(certificate) }
            if let certificate = nullifications[view] { found.append(certificate) }
        }
        return found
    }

    /// The views above the final one with a certificate, in no order.
    var certifiedViews: [UInt64] { Array(notarizations.keys) + Array(nullifications.keys) }

    /// The notarized views above the final one, ascending.
    public var notarizedViews: [UInt64] { notarizations.keys.sorted() }
}
