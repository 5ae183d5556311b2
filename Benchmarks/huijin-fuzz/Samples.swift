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
    let suite = Suite.ed25519SHA256
    let keys: [SigningKey]
    let memberKey: SigningKey
    let genesis: Genesis

    init() {
        func key(_ byte: UInt8) -> SigningKey {
            guard
                let key = try? SigningKey(
                    suite: .ed25519SHA256, secret: [UInt8](repeating: byte, count: 32))
            else { preconditionFailure("every 32 bytes are an Ed25519 secret") }
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

    /// Envelopes of one batch.
    var batch: [[UInt8]] {
        let transactions = (0..<3).map { number in
            Transaction(
                kind: transaction.kind, nonce: [UInt8](repeating: number, count: 16),
                lastValidHeight: 100, member: Samples.member, body: transaction.body)
        }
        return Envelope.signBatch(transactions, chain: genesis.chain, with: memberKey)
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

    var receipt: Receipt {
        let receipt = Receipt(
            vote: vote(statements[2], 0), chain: genesis.chain, suite: suite,
            keyID: keys[0].publicKey.keyID, size: 5, index: 3,
            path: (1...3).map { suite.digest([$0]) })
        guard let receipt else { preconditionFailure("the vote is a finalize vote") }
        return receipt
    }

    var messages: [PeerMessage] {
        [.votes(votes), .certificates([certificate]), .transactions([envelope] + batch)]
    }

    var values: [[UInt8]] {
        [envelope, block.encoded, genesis.encoded, certificate.encoded] + batch
    }

    /// Well formed; its certificate is not of the genesis state, so it proves nothing.
    var bundle: EvidenceBundle {
        EvidenceBundle(
            chain: genesis.chain,
            questions: [.assetHistory(asset: suite.digest([3]), logs: [.rights])], epochChanges: [],
            header: header, certificate: certificate, records: [], ancestors: [], entries: [],
            histories: [[]])
    }
}
