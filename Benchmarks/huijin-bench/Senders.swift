import Client
import Encoding
import Ledger
import LedgerCrypto
import Market
import Policy
import Records

/// Enrolled members and their pre-signed load.
struct Senders: Sendable {
    let members: [Identity]
    let genesis: Genesis
    let chain: ChainID

    static let note = String(repeating: "x", count: 24)

    /// Enrols so many members through the API.
    static func enrol(_ count: Int, on network: BenchNetwork) async throws -> Senders {
        let client = try HuijinClient(
            nodes: network.nodes, genesis: network.genesis, identity: try network.governor())
        var members: [Identity] = []
        for index in 0..<count {
            guard let code = SocialCreditCode.generate(serial: 10_000_000 + UInt32(index)),
                let id = MemberID(code.text)
            else { preconditionFailure("a generated code is a member id") }
            let key = SigningKey.generate(network.genesis.suite)
            let answer = try await client.submit(
                MemberEnrol(
                    member: id, nameZh: "成员\(index)", nameEn: "Member \(index)", group: "",
                    roles: [.buyer], publicKey: key.publicKey, person: "bench",
                    mandates: [.maker, .checker, .legalRepresentative].sorted()))
            guard answer.isAccepted else {
                throw BenchNetwork.Failed(description: "enrolment: \(answer.code.name)")
            }
            members.append(Identity(member: id, key: key))
        }
        return Senders(members: members, genesis: network.genesis, chain: client.chain)
    }

    /// One signed `evidence.record` of at least 256 bytes.
    func envelope(_ number: Int, lastValidHeight: UInt64) -> [UInt8] {
        let sender = members[number % members.count]
        let body = RecordEvidence(
            commitment: chain, mediaType: "text/csv", note: Senders.note)
        let transaction = Transaction(
            kind: RecordEvidence.kind.rawValue, nonce: SecureRandom.bytes(LedgerLimits.nonceBytes),
            lastValidHeight: lastValidHeight, member: sender.member, body: body.encoded)
        return Envelope.sign(transaction, chain: chain, with: sender.key)
    }

    var envelopeBytes: Int { envelope(0, lastValidHeight: 60_000).count }

    /// Signs on all cores.
    func envelopes(_ count: Int, lastValidHeight: UInt64) async -> [[UInt8]] {
        let parts = 8
        return await withTaskGroup(of: [[UInt8]].self) { group in
            for part in 0..<parts {
                group.addTask {
                    stride(from: part, to: count, by: parts).map {
                        envelope($0, lastValidHeight: lastValidHeight)
                    }
                }
            }
            var all: [[UInt8]] = []
            for await signed in group { all += signed }
            return all
        }
    }
}
