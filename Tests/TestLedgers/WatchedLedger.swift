import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Records

/// SplitMix64: the same choices from the same seed on every machine.
package struct Dice: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    package mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    package mutating func isOne(in count: Int) -> Bool { below(count) == 0 }
}

/// A ledger on which things happen at random to two assets, of which one was derived from the other, to a licence, a member
/// and an account.
package struct WatchedLedger {
    package var chain: TestChain
    package let parent: Digest
    package let child: Digest
    private let provider: TestMember
    private let regulator: TestMember
    private let licence: Digest
    private let bank: MemberID
    private var keys = 0

    /// Of the genesis' rule where there is one, two of three.
    package static func recoveryKeys(_ suite: Suite) -> [SigningKey] {
        (0..<3).map { TestChain.key(suite, 800 + $0) }
    }

    package init(_ suite: Suite, name: String = "test", recoveryKeys: [SigningKey] = []) {
        provider = TestMember("91310000MA1FL00001", suite, 1)
        regulator = TestMember("91310000MA1FL00002", suite, 2)
        bank = MemberID("91310000MA1FL00003")!
        chain = TestChain(
            suite, name: name, members: [provider, regulator], recoveryKeys: recoveryKeys)
        parent = AssetRecord.id(provider: provider.id, code: "parent", suite: suite)
        child = AssetRecord.id(provider: provider.id, code: "child", suite: suite)
        licence = suite.digest([7])
        chain.put(Fixture.record(parent, code: "parent", provider: provider.id, suite: suite))
        var derived = Fixture.record(child, code: "child", provider: provider.id, suite: suite)
        derived.parents = [parent]
        chain.put(derived)
        chain.put(
            MemberRecord(
                id: provider.id, nameZh: "提供方", nameEn: "Provider", group: "",
                roles: [.provider, .assessor], liveKeys: 1, enrolledHeight: 0))
        chain.put(AccountRecord(member: provider.id, bank: bank, availableFen: 100))
        chain.put(agreement(metered: 0))
        chain.append([])
    }

    private func agreement(metered: UInt64) -> AgreementRecord {
        AgreementRecord(
            id: licence, offer: chain.suite.digest([8]), asset: parent, provider: provider.id,
            buyer: regulator.id, venue: regulator.id, sandboxOperator: provider.id, bank: bank,
            purpose: "research", columns: ["temp"], priceFen: 1, usesMax: 1_000,
            usesMetered: metered, durationMs: 1, groupMinimum: 10, venueFeeBasisPoints: 0,
            pseudonymSalt: [UInt8](repeating: 5, count: 16),
            statementCommitment: chain.suite.digest([9]), status: .agreed, requestedHeight: 1)
    }

    /// One of which does not exist.
    package var watched: [WatchedRecord] {
        let ids: [(RecordType, [CBORValue])] = [
            (.asset, [.bytes(parent.bytes)]), (.asset, [.bytes(child.bytes)]),
            (.asset, [.bytes(chain.suite.digest([1]).bytes)]),
            (.agreement, [.bytes(licence.bytes)]), (.member, [.text(provider.id.text)]),
            (.account, [.text(provider.id.text), .text(bank.text)]),
        ]
        return ids.compactMap { WatchedRecord(type: $0.0, id: $0.1) }
    }

    /// What the newest state holds.
    package func record(_ watched: WatchedRecord) -> AnyRecord? {
        let key = EvidenceQuestion.stateKey(
            type: watched.type, id: watched.id, suite: chain.suite)
        return chain.stateProof(key: key)?.value.flatMap { try? StoredRecord.decode(value: $0) }
    }

    // MARK: What happens

    /// A block or a few, some of which end their epoch.
    package mutating func goOn(_ dice: inout Dice) {
        for _ in 0...dice.below(3) {
            if dice.isOne(in: 8) { changeEpoch() }
            var steps: [TestChain.Step] = []
            for _ in 0..<dice.below(4) { steps.append(happen(&dice)) }
            chain.append(steps)
        }
    }

    package mutating func changeEpoch() {
        keys += 4
        chain.changeEpoch(to: (0..<4).map { TestChain.key(chain.suite, 200 + keys + $0) })
    }

    /// Ends the epoch by a recovery, which its rule must allow.
    package mutating func recover() {
        keys += 4
        let signers = WatchedLedger.recoveryKeys(chain.suite)
        chain.recover(
            to: (0..<4).map { TestChain.key(chain.suite, 200 + keys + $0) },
            signers: [(0, signers[0]), (2, signers[2])])
    }

    private mutating func happen(_ dice: inout Dice) -> TestChain.Step {
        let asset = dice.isOne(in: 3) ? child : parent
        switch dice.below(6) {
        case 0: return toggleFreeze(of: asset)
        case 1:
            return chain.step(
                .rightTransfer, by: provider, touching: [(asset, .rights, .member(provider.id))])
        case 2:
            return chain.step(
                .jobSubmit, by: regulator, code: .purposeNotPermitted,
                touching: [(asset, .refusals, .ledger)])
        case 3:
            chain.put(agreement(metered: UInt64(dice.below(1_000))))
            return chain.step(
                .outputRelease, by: regulator, touching: [(parent, .trades, .ledger)])
        case 4:
            chain.put(
                AccountRecord(
                    member: provider.id, bank: bank, availableFen: UInt64(dice.below(1_000))))
            return chain.step(.depositConfirm, by: regulator, touching: [])
        default:
            return chain.step(
                .assetAttest, by: regulator, touching: [(asset, .rights, .member(regulator.id))])
        }
    }

    private mutating func toggleFreeze(of id: Digest) -> TestChain.Step {
        guard var asset = chain.assetRecord(id) else { preconditionFailure("both assets exist") }
        let isFrozen = asset.status == .frozen
        if isFrozen {
            asset.unfreeze(by: .regulator)
        } else {
            asset.freeze(
                Freeze(
                    office: .regulator, member: regulator.id, reason: .investigation,
                    referenceCommitment: chain.suite.digest([3]), height: chain.newest.height + 1))
        }
        chain.put(asset)
        return chain.step(
            isFrozen ? .assetUnfreeze : .assetFreeze, by: regulator,
            touching: [(id, .rights, .member(regulator.id))])
    }
}

extension TestChain {
    /// What an honest node answers.
    package func answer(_ what: Follower.Ask.What) -> Follower.Answer {
        do throws(EvidenceSourceError) {
            switch what {
            case .head(let first):
                return .bytes(try EvidenceBundle.head(epochsFrom: first, from: self).encoded)
            case .bundle(let questions, let first):
                return .bytes(
                    try EvidenceBundle.answering(questions, from: self)
                        .leavingOut(epochsBefore: first).encoded)
            case .events(let asset, let log, let range):
                let all = events(asset: asset, log: log) ?? []
                guard all.count >= Int(range.upperBound) else { return .none(reason: "behind") }
                let leaves = all[Int(range.lowerBound)..<Int(range.upperBound)]
                return .bytes(EventLeaves(fitting: Array(leaves)).encoded)
            }
        } catch {
            return .none(reason: error.description)
        }
    }
}

extension EvidenceBundle {
    /// The same without the ends of epochs that its reader knows.
    fileprivate func leavingOut(epochsBefore first: UInt64) -> EvidenceBundle {
        var bundle = self
        bundle.epochChanges.removeAll { $0.header.epoch < first }
        return bundle
    }
}
