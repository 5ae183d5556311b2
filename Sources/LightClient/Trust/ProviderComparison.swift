import Ledger
import LedgerCrypto

/// What one provider (a node, a file from a mirror) answered when it was asked for its newest final header.
public struct ProviderAnswer: Equatable, Sendable {
    /// How the caller calls it; each provider once.
    public let name: String
    /// With `epochChanges`, as in `TrustedChain.advance`.
    public let certified: CertifiedHeader
    public let epochChanges: [EpochChange]

    public init(name: String, certified: CertifiedHeader, epochChanges: [EpochChange]) {
        self.name = name
        self.certified = certified
        self.epochChanges = epochChanges
    }
}

/// How several providers' answers stand to one another and to what was trusted before.
///
/// A pure function of the answers and the clock that the caller passes in. The order of the answers decides nothing but
/// which side of a fork counts as the accuser: whatever is trusted first is what a later answer contradicts.
public struct ProviderComparison: Equatable, Sendable {
    public enum Standing: Equatable, Sendable {
        /// Its header is the highest that was answered.
        case newest(height: UInt64)
        /// Its header is certified, and lower than the highest that was answered or trusted before.
        case behind(height: UInt64, newest: UInt64)
        /// What it answered contradicts what a quorum certified, or itself.
        case lies(EvidenceProblem)
        /// Its answer lacks something, or cannot be trusted yet.
        case unproven(EvidenceProblem)
        /// What it answered is certified, and so is something else that cannot be final beside it.
        case forked(ForkEvidence, against: Side)
    }

    /// Who else vouches for the other side of a fork.
    public enum Side: Equatable, Sendable {
        /// It was trusted before anyone was asked.
        case trusted
        /// This provider's answer.
        case provider(String)
    }

    /// In the order of the answers.
    public let standings: [(provider: String, standing: Standing)]
    /// What was trusted before, with all that was proven; without what forks.
    public let trust: TrustedChain

    public static func == (left: Self, right: Self) -> Bool {
        left.trust == right.trust
            && left.standings.elementsEqual(right.standings) {
                $0.provider == $1.provider && $0.standing == $1.standing
            }
    }

    /// - Parameter nowMs: milliseconds of Unix time, as in `TrustedChain.advance`.
    public init(_ answers: [ProviderAnswer], trust before: TrustedChain, nowMs: UInt64? = nil) {
        var trust = before
        /// Who brought which header first, the ends of epochs among them.
        var sources: [(provider: String, header: Header)] = []
        var found: [(provider: String, standing: Standing)] = []
        for answer in answers {
            let (new, changes) = (answer.certified, answer.epochChanges)
            do throws(EvidenceProblem) {
                let step = try trust.advance(to: new, epochChanges: changes, nowMs: nowMs)
                switch step {
                case .trusted(let next, _):
                    trust = next
                    for header in changes.map({ $0.header }) + [new.header]
                    where !sources.contains(where: { $0.header == header }) {
                        sources.append((answer.name, header))
                    }
                    found.append((answer.name, .newest(height: new.header.height)))
                case .fork(let evidence):
                    let sides = [evidence.lower.header, evidence.higher.header]
                    let other = sources.first { source in
                        sides.contains(source.header) && !before.holds(source.header)
                    }
                    found.append(
                        (
                            answer.name,
                            .forked(
                                evidence, against: other.map { .provider($0.provider) } ?? .trusted)
                        ))
                }
            } catch {
                found.append(
                    (answer.name, error.standing == .provenFalse ? .lies(error) : .unproven(error)))
            }
        }
        let newest = trust.newest?.header.height ?? 0
        standings = found.map { name, standing in
            guard case .newest(let height) = standing, height < newest else {
                return (name, standing)
            }
            return (name, .behind(height: height, newest: newest))
        }
        self.trust = trust
    }
}
