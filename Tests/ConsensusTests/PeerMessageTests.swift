import Encoding
import Ledger
import LedgerCrypto
import Testing

@testable import Consensus

/// The wire form of what validators say to one another.
struct PeerMessageTests {
    let fixture = Fixture()

    private var block: Block {
        let suite = fixture.suite
        let header = Header(
            chain: suite.digest([0]), height: 3, epoch: 0, parent: suite.digest([1]), timeMs: 9,
            logSize: 5, logRoot: suite.digest([2]), stateRoot: suite.digest([3]),
            resultsRoot: suite.digest([4]), entryCount: 2, validators: suite.digest([5]))
        let action = AutomaticAction(kind: 1, deadlineMs: 8, subject: suite.digest([6]))
        return Block(header: header, entries: [.automatic(action), .envelope([1, 2, 3])])
    }

    private var messages: [PeerMessage] {
        let subject = VoteSubject(block.header, suite: fixture.suite)
        let vote = fixture.vote(fixture.notarize(4, subject), 1).value
        let nullification = fixture.certificate(fixture.nullify(3)).value
        let finalization = fixture.certificate(fixture.finalize(4, subject)).value
        return [
            .proposal(
                Proposal(
                    vote: vote, parentView: 2, outline: BlockOutline(block, suite: fixture.suite),
                    justification: [nullification])),
            .votes([vote, fixture.vote(fixture.nullify(4), 2).value]),
            .certificates([nullification, finalization]),
            .transactions([[1], [2, 3], []]),
            .finalBlocksRequest(from: 77),
            .finalBlocks([
                CertifiedBlock(block: block, finalization: nil),
                CertifiedBlock(block: block, finalization: finalization),
            ]),
            .blockRequest(subject.header),
            .block(block),
            .status(ReplicaStatus(epoch: 0, finalHeight: 1, finalView: 2, openView: 3, view: 4)),
            .heldVotesRequest(epoch: 1, question: 300),
            .heldVotes(
                HeldVotes(epoch: 0, question: 5, finalization: finalization, votes: [vote])),
            .heldVotes(HeldVotes(epoch: 0, question: 5, finalization: nil, votes: [])),
            .transactionsRequest([subject.header, subject.logRoot]),
            .requestedTransactions([[4, 5], []]),
        ]
    }

    @Test func everyMessageSurvivesAndNothingElseDoes() throws {
        for message in messages {
            let bytes = message.encoded
            #expect(try PeerMessage.decode(bytes, limits: PeerLimits.message) == message)
            for count in bytes.indices {
                #expect(throws: CBORError.self) {
                    try PeerMessage.decode(Array(bytes[..<count]), limits: PeerLimits.message)
                }
            }
            #expect(throws: CBORError.self) {
                try PeerMessage.decode(bytes + [0], limits: PeerLimits.message)
            }
        }
    }

    /// Tags are never reused: each message begins with its own, written here once for all.
    @Test func tagsStay() {
        #expect(
            messages.map { $0.encoded[1] } == [10, 2, 3, 4, 5, 6, 7, 8, 9, 20, 21, 21, 11, 12])
        #expect(messages.allSatisfy { $0.encoded[0] == 0x82 })
        #expect(
            Hex.encode(messages[8].encoded) == "8209850001020304", "status, whole")
        #expect(Hex.encode(messages[9].encoded) == "8214820119012c", "request of votes, whole")
        #expect(Hex.encode(messages[11].encoded) == "8215840005f680", "no votes held, whole")
    }

    @Test func equivocationIsARealContradiction() throws {
        let subject = fixture.block(1)
        let one = fixture.vote(fixture.nullify(1), 1).value
        let other = fixture.vote(fixture.finalize(1, subject), 1).value
        let pair = try #require(Equivocation(one, other))
        #expect(try Equivocation.decode(pair.encoded) == pair)
        let honest = fixture.vote(fixture.notarize(1, subject), 1).value
        #expect(Equivocation(one, honest) == nil)
        var forged = CBOREncoder()
        forged.list([one, honest])
        #expect(throws: CBORError.self) { try Equivocation.decode(forged.bytes) }
    }

    /// A certificate needs a quorum of valid votes of distinct validators of the epoch.
    @Test func certificatesAreCheckedWhole() {
        let statement = fixture.nullify(3)
        let good = fixture.certificate(statement).value
        #expect(fixture.authority.verified(good) != nil)
        let few = Certificate(
            statement: statement, signatures: Array(good.signatures.dropLast()))
        #expect(fixture.authority.verified(few) == nil)
        let twice = Certificate(
            statement: statement, signatures: few.signatures + [few.signatures[0]])
        #expect(fixture.authority.verified(twice) == nil)
        let other = Certificate(statement: fixture.nullify(4), signatures: good.signatures)
        #expect(fixture.authority.verified(other) == nil)
        let borrowed = Certificate(
            statement: statement,
            signatures: good.signatures.map {
                CertificateSignature(
                    validator: $0.validator, signature: good.signatures[0].signature)
            })
        #expect(fixture.authority.verified(borrowed) == nil)
    }
}
