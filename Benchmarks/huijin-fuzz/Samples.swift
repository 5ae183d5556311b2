import Consensus
import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Market
import Merkle
import Policy
import Records

/// Valid values of every wire type, with keys from fixed secrets.
struct Samples {
    let suite: LedgerCrypto.Suite
    let keys: [SigningKey]
    let memberKey: SigningKey
    let genesis: Genesis

    static let request = (method: "GET", path: "/v1/state", timeMs: UInt64(1_800_000_000_000))

    init(_ suite: LedgerCrypto.Suite) {
        self.suite = suite
        func key(_ byte: UInt8) -> SigningKey {
            guard
                let key = try? SigningKey(
                    suite: suite, secret: [UInt8](repeating: byte, count: 32))
            else { preconditionFailure("a small number repeated is a secret of either suite") }
            return key
        }
        keys = (1...4).map { key($0) }
        memberKey = key(77)
        let seats = keys.enumerated().map { index, key in
            Validator(
                member: Samples.member, votingKey: key.publicKey,
                transportKey: [UInt8](repeating: UInt8(index), count: 91))
        }
        guard let set = ValidatorSet(epoch: 0, validators: seats) else {
            preconditionFailure("the keys are distinct")
        }
        var builder = GenesisBuilder(suite: suite)
        do {
            try builder.add(
                member: Samples.member, nameZh: "治理", nameEn: "Governor", roles: [.governor],
                keys: [.init(memberKey.publicKey, person: "governor")])
        } catch {
            preconditionFailure("the governor's id is well formed: \(error)")
        }
        genesis = builder.genesis(
            name: "fuzz", timeMs: 1_700_000_000_000, parameters: Parameters(), validators: set)
    }

    static var member: MemberID {
        guard let code = SocialCreditCode.generate(serial: 1), let id = MemberID(code.text) else {
            preconditionFailure("a generated code is a member id")
        }
        return id
    }

    var header: Header { genesis.header(stateRoot: suite.digest([1])) }

    var transaction: Transaction {
        Transaction(
            kind: RecordEvidence.kind.rawValue, nonce: [UInt8](repeating: 5, count: 16),
            lastValidHeight: 100, member: Samples.member, body: RecordEvidence.example.encoded)
    }

    var envelope: [UInt8] {
        Envelope.sign(transaction, chain: genesis.chain, with: memberKey)
    }

    /// The one that is signed by itself, then those of one batch.
    var transactions: [Transaction] { [transaction] + batchTransactions }

    private var batchTransactions: [Transaction] {
        (0..<3).map { number in
            Transaction(
                kind: transaction.kind, nonce: [UInt8](repeating: number, count: 16),
                lastValidHeight: 100, member: Samples.member, body: transaction.body)
        }
    }

    /// Envelopes of one batch.
    var batch: [[UInt8]] {
        Envelope.signBatch(batchTransactions, chain: genesis.chain, with: memberKey)
    }

    var requestHeader: [UInt8] {
        let (method, path, timeMs) = Samples.request
        return Array(
            RequestToken.header(
                method: method, path: path, timeMs: timeMs, chain: genesis.chain, with: memberKey
            ).utf8)
    }

    var block: Block {
        Block(
            header: header,
            entries: [
                .automatic(AutomaticAction(kind: 1, deadlineMs: 9, subject: suite.digest([2]))),
                .envelope(envelope),
            ])
    }

    private var statements: [VoteStatement] {
        let subject = VoteSubject(header, suite: suite)
        return [
            .notarize(epoch: 0, view: 3, subject), .nullify(epoch: 0, view: 3),
            .finalize(epoch: 0, view: 3, subject),
        ]
    }

    private func vote(_ statement: VoteStatement, _ index: Int) -> Vote {
        let key = keys[index]
        let message = statement.signedBytes(
            chain: genesis.chain, suite: suite, keyID: key.publicKey.keyID)
        return Vote(statement: statement, validator: index, signature: key.sign(message))
    }

    var votes: [Vote] { statements.map { vote($0, 1) } }

    var certificate: Certificate {
        Certificate(
            statement: statements[2],
            signatures: (0..<3).map {
                CertificateSignature(
                    validator: $0, signature: vote(statements[2], $0).signature)
            })
    }

    var equivocation: Equivocation? {
        let other = VoteSubject(
            height: 9, header: suite.digest([9]), logRoot: suite.digest([8]))
        return Equivocation(
            vote(statements[2], 1), vote(.finalize(epoch: 0, view: 3, other), 1))
    }

    var messages: [PeerMessage] {
        let proposal = Proposal(
            vote: vote(statements[0], 1), parentView: 2,
            outline: BlockOutline(block, suite: suite), justification: [certificate])
        return [
            .proposal(proposal), .votes(votes), .certificates([certificate]),
            .transactions([envelope] + batch), .finalBlocksRequest(from: 7),
            .finalBlocks([CertifiedBlock(block: block, finalization: certificate)]),
            .blockRequest(suite.digest([4])), .block(block),
            .status(
                ReplicaStatus(epoch: 0, finalHeight: 1, finalView: 2, openView: 3, view: 4)),
            .heldVotesRequest(epoch: 0, question: 5),
            .heldVotes(
                HeldVotes(epoch: 0, question: 5, finalization: certificate, votes: votes)),
            .transactionsRequest([suite.digest([6])]), .requestedTransactions([envelope]),
        ]
    }
}
