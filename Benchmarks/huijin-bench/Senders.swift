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

    /// One `evidence.record`, in an envelope of at least 256 bytes when it is signed by itself.
    private func transaction(of sender: Identity, lastValidHeight: UInt64) -> Transaction {
        let body = RecordEvidence(
            commitment: chain, mediaType: "text/csv", note: Senders.note)
        return Transaction(
            kind: RecordEvidence.kind.rawValue, nonce: SecureRandom.bytes(LedgerLimits.nonceBytes),
            lastValidHeight: lastValidHeight, member: sender.member, body: body.encoded)
    }

    /// One transaction signed by itself; members in turn.
    func envelope(_ number: Int, lastValidHeight: UInt64) -> [UInt8] {
        let sender = members[number % members.count]
        return Envelope.sign(
            transaction(of: sender, lastValidHeight: lastValidHeight), chain: chain,
            with: sender.key)
    }

    /// Signs each by itself, on all cores.
    func envelopes(_ count: Int, lastValidHeight: UInt64) async -> [[UInt8]] {
        let requests = await requests(
            count + members.count, lastValidHeight: lastValidHeight, batch: 1)
        return Array(requests.joined().prefix(count))
    }

    /// `count` transactions of one member: one by one for a batch of 1, else under signed roots of so many.
    private func envelopes(
        _ count: Int, of sender: Identity, lastValidHeight: UInt64, batch: Int
    ) -> [[UInt8]] {
        let transactions = (0..<count).map { _ in
            transaction(of: sender, lastValidHeight: lastValidHeight)
        }
        guard batch > 1 else {
            return transactions.map { Envelope.sign($0, chain: chain, with: sender.key) }
        }
        return stride(from: 0, to: count, by: batch).flatMap { start in
            Envelope.signBatch(
                Array(transactions[start..<min(start + batch, count)]), chain: chain,
                with: sender.key)
        }
    }

    /// Bytes of one envelope.
    func envelopeBytes(batch: Int) -> Int {
        envelopes(max(1, batch), of: members[0], lastValidHeight: 60_000, batch: batch)[0].count
    }

    /// Requests of at most `Load.perRequest` envelopes of one member each, members in turn, signed on all cores.
    func requests(_ count: Int, lastValidHeight: UInt64, batch: Int) async -> [[[UInt8]]] {
        // A whole number of batches a member, and of requests a batch, as even as possible.
        let rounds = max(1, batch)
        let each = max(1, count / (members.count * rounds)) * rounds
        let parts = batch > 1 ? (batch + Load.perRequest - 1) / Load.perRequest : 1
        let perRequest = batch > 1 ? (batch + parts - 1) / parts : Load.perRequest
        let byMember = await withTaskGroup(of: (Int, [[[UInt8]]]).self) { group in
            for (index, sender) in members.enumerated() {
                group.addTask {
                    let all = envelopes(
                        each, of: sender, lastValidHeight: lastValidHeight, batch: batch)
                    return (
                        index, Senders.split(all, by: rounds > 1 ? rounds : all.count, perRequest)
                    )
                }
            }
            var all = [[[[UInt8]]]](repeating: [], count: members.count)
            for await (index, requests) in group { all[index] = requests }
            return all
        }
        let most = byMember.map(\.count).max() ?? 0
        return (0..<most).flatMap { turn in
            byMember.compactMap { turn < $0.count ? $0[turn] : nil }
        }
    }

    private static func split(
        _ envelopes: [[UInt8]], by batch: Int, _ perRequest: Int
    ) -> [[[UInt8]]] {
        stride(from: 0, to: envelopes.count, by: batch).flatMap { start in
            let end = min(start + batch, envelopes.count)
            return stride(from: start, to: end, by: perRequest).map {
                Array(envelopes[$0..<min($0 + perRequest, end)])
            }
        }
    }
}
