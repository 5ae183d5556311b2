import LedgerCrypto
import Records

/// What somebody says and this bundle does not prove.
public enum Claim: Equatable, Sendable {
    /// The ledger proves who stated what and when, never that a statement about the world is true.
    case statements
    /// Nothing is said about what happened after the certified height.
    case nothingLater(height: UInt64)
    /// The asset's record counts this many events in a log that was not asked for.
    case logNotShown(asset: Digest, EventLogKind, events: UInt64)
    /// Assets that others here were derived from, and whose rights logs are not in the bundle; ascending.
    case parentsUnproven([Digest])
    /// Events whose envelope is withheld: kind, actor and transaction id rest on the validators' certificate alone.
    case withheld(count: Int)
    /// Records of which only the digest is in the bundle.
    case recordsWithheld(count: Int)
    case signaturesNotRechecked(count: Int)
    /// What a job's record says was done, while the bundle shows no entry that did it.
    case stepsNotShown(job: Digest, [TransactionKind])
    /// Assets of licences that were live at a moment, while the bundle does not show their rights logs, which say whether
    /// they were frozen then; ascending. A freeze ends no licence, and nothing is run or released meanwhile.
    case freezesNotShown([Digest])
    /// Actors under pseudonyms whose envelopes are withheld: who they are is not in the bundle.
    case pseudonyms(count: Int)
    /// Parts that are in the bundle, and of which no answer is made.
    case unused(UnusedParts)
    /// Names of witnesses who cosigned: when they did, and what else they saw.
    case witnesses([String])
}

extension ProvenAnswer {
    /// What was only claimed, most general first.
    public var claims: [Claim] {
        var tally = ClaimTally()
        for history in histories { tally.add(history) }
        for finding in findings {
            switch finding {
            case .transaction(let entry): tally.add(entry)
            case .record(.withheld): tally.records += 1
            case .output(let output): tally.add(output)
            case .licence(let licence): tally.add(licence)
            case .assetHistory, .noSuchAsset, .record(.record), .record(.nothing), .header, .role:
                break
            }
        }
        let none = UnusedParts(entries: 0, records: 0)
        return [.statements, .nothingLater(height: height)] + tally.claims
            + (unused == none ? [] : [.unused(unused)])
            + (witnessed.map { [.witnesses($0.sightings.map { $0.witness.name })] } ?? [])
    }
}

/// Counts over all findings; an asset's log that two questions ask for counts once.
private struct ClaimTally {
    private var assets: [AssetRecord] = []
    private var shown: [(asset: Digest, log: EventLogKind)] = []
    private var unproven: Set<Digest> = []
    private var withheld = 0
    private var notRechecked = 0
    private var pseudonyms = 0
    private var closed: Set<Digest> = []
    private var licensed: Set<Digest> = []
    private var steps: [Claim] = []
    var records = 0

    mutating func add(_ history: AssetHistory) {
        if assets.last != history.asset { assets.append(history.asset) }
        for parent in history.parents where !parent.isIncluded { unproven.insert(parent.asset) }
        for log in history.logs where !isShown(history.asset.id, log.log) {
            shown.append((history.asset.id, log.log))
            for event in log.events {
                add(event.entry)
                if case (.withheld, .pseudonym) = (event.entry.content, event.event.actor) {
                    pseudonyms += 1
                }
            }
        }
    }

    /// Its closing counts once, at how many moments the licence is asked about.
    mutating func add(_ licence: ProvenLicence) {
        if licence.standing.isLive, let record = licence.record { licensed.insert(record.asset) }
        guard let closing = licence.closing, closed.insert(licence.id).inserted else { return }
        add(closing)
    }

    mutating func add(_ output: ProvenOutput) {
        for step in output.steps { add(step) }
        let missing = output.stepsNotShown
        if !missing.isEmpty { steps.append(.stepsNotShown(job: output.id, missing)) }
    }

    mutating func add(_ entry: ProvenEntry) {
        switch entry.content {
        case .withheld: withheld += 1
        case .transaction(_, _, .notRechecked): notRechecked += 1
        case .transaction(_, _, .valid), .automatic: break
        }
    }

    private func isShown(_ asset: Digest, _ log: EventLogKind) -> Bool {
        shown.contains { $0 == (asset, log) }
    }

    var claims: [Claim] {
        var claims: [Claim] = []
        if !unproven.isEmpty { claims.append(.parentsUnproven(unproven.sorted())) }
        for asset in assets {
            // An empty log is proven to be: the asset's record says so.
            for kind in EventLogKind.allCases
            where !isShown(asset.id, kind) && asset.log(kind).size > 0 {
                claims.append(
                    .logNotShown(asset: asset.id, kind, events: asset.log(kind).size))
            }
        }
        let freezes = licensed.filter { !isShown($0, .rights) }.sorted()
        if !freezes.isEmpty { claims.append(.freezesNotShown(freezes)) }
        claims += steps
        if withheld > 0 { claims.append(.withheld(count: withheld)) }
        if records > 0 { claims.append(.recordsWithheld(count: records)) }
        if notRechecked > 0 { claims.append(.signaturesNotRechecked(count: notRechecked)) }
        if pseudonyms > 0 { claims.append(.pseudonyms(count: pseudonyms)) }
        return claims
    }
}
