import Encoding
import Ledger
import LedgerCrypto
import Merkle
import Testing

@testable import Records

@Suite struct EventTests {
    @Test func roundTripAndDamage() throws {
        let bytes = Samples.event.encoded
        #expect(try AssetEvent.decode(bytes, limits: AssetEvent.limits) == Samples.event)
        for count in 0..<bytes.count {
            #expect(throws: CBORError.self) { try AssetEvent.decode(Array(bytes.prefix(count))) }
        }
        #expect(throws: CBORError.self) { try AssetEvent.decode(bytes + [0]) }
    }

    @Test func everyActorAndKindSurvives() throws {
        let actors: [EventActor] = [
            .ledger, .member(Samples.provider), .pseudonym([UInt8](repeating: 1, count: 16)),
        ]
        for actor in actors { #expect(try EventActor.decode(actor.encoded) == actor) }
        #expect(throws: CBORError.self) { try EventActor.decode(CBORValue.bytes([1]).encoded) }
        #expect(throws: CBORError.self) { try EventActor.decode("lower case".encoded) }
        var numbers: Set<UInt64> = []
        for kind in TransactionKind.allCases.map(EventKind.transaction)
            + AutomaticKind.allCases.map(EventKind.automatic)
        {
            #expect(EventKind(number: kind.number) == kind)
            #expect(numbers.insert(kind.number).inserted)
        }
        #expect(EventKind(number: 1_000) == nil)
        #expect(EventKind(number: 0) == nil)
    }

    @Test func admissionRefusalsAreNoEvents() {
        var pairs: [UInt8] = Samples.event.encoded
        // The code is the last item but one; the sample's is two bytes, 0x18 0x8C (140).
        guard
            let place = pairs.indices.dropLast().last(where: {
                pairs[$0] == 0x18 && pairs[$0 + 1] == 0x8C
            })
        else {
            Issue.record("the sample's code is 140")
            return
        }
        pairs.replaceSubrange(place...place + 1, with: [0x07])
        #expect(throws: CBORError.self) { try AssetEvent.decode(pairs) }
    }

    @Test(arguments: Suite.allCases)
    func logRootIsTheOneOfItsEvents(_ suite: LedgerCrypto.Suite) {
        var log = EventLog(suite)
        var leaves: [Digest] = []
        #expect(log.root == LogFrontier().root(suite))
        for index in 0..<20 {
            let event = AssetEvent(
                log: .rights, index: UInt64(index), kind: .automatic(.licenceExpire),
                transactionID: .zero, entryDigest: .zero, height: 1, timeMs: 1, actor: .ledger,
                code: .accepted)
            log.append(event, suite: suite)
            leaves.append(event.leafHash(suite))
            #expect(log.root == LogTree(suite: suite, leafHashes: leaves).root)
            #expect(log.size == UInt64(index + 1))
        }
    }

    @Test func logWithTheWrongNumberOfPeaksIsRefused() {
        let good = Samples.log(3).encoded
        #expect((try? EventLog.decode(good)) == Samples.log(3))
        var bad = good
        bad[1] = 4
        #expect(throws: CBORError.self) { try EventLog.decode(bad) }
    }

    @Test func pseudonymsDifferByMemberAndSalt() {
        let salts: [[UInt8]] = [[UInt8](repeating: 1, count: 16), [UInt8](repeating: 2, count: 16)]
        var seen: Set<[UInt8]> = []
        for salt in salts {
            for member in [Samples.provider, Samples.buyer] {
                let pseudonym = Pseudonym.of(member, salt: salt, suite: Samples.suite)
                #expect(pseudonym.count == Pseudonym.byteCount)
                #expect(seen.insert(pseudonym).inserted)
            }
        }
        #expect(
            Salted.commit(salt: salts[0], value: [1], suite: Samples.suite)
                != Salted.commit(salt: salts[1], value: [1], suite: Samples.suite))
    }
}
