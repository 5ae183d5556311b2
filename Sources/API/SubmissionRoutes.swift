import Client
import Encoding
import Hummingbird
import Ledger
import LedgerCrypto
import NIOCore
import Node
import Records

extension Routes {
    // The one hot path: the body is decoded once, and the answer is written without an intermediate tree.
    func submit(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["wait", "timeoutMs"])
        let wait: SubmissionWait
        switch query["wait"] ?? "received" {
        case "received": wait = .received
        case "final": wait = .final
        default:
            throw APIError.badQuery(
                "wait", "it must be received or final", "应为 received 或 final")
        }
        let timeoutMs = try query.number(
            "timeoutMs", standard: reads.limits.waitMsStandard, max: reads.limits.waitMsMax)
        let body = try await collect(
            request, bytesMax: reads.limits.submissionBytesMax(reads.genesis.parameters))
        let envelopes = try envelopes(body)
        let results = await reads.node.submit(envelopes, wait: wait, timeoutMs: timeoutMs)
        return .bytes(
            SubmissionWriter.body(results), type: "application/json; charset=utf-8")
    }

    func collect(_ request: Request, bytesMax: Int) async throws -> ByteBuffer {
        do {
            return try await request.body.collect(upTo: bytesMax)
        } catch is NIOTooManyBytesError {
            throw APIError.bodyTooLarge
        } catch {
            throw APIError.bodyIncomplete
        }
    }

    private func envelopes(_ body: ByteBuffer) throws(APIError) -> [[UInt8]] {
        let bytes = [UInt8](body.readableBytesView)
        let limits = CBORLimits(
            bytesMax: bytes.count, depthMax: 2, itemsMax: reads.limits.envelopesMax,
            stringBytesMax: bytes.count)
        do throws(CBORError) {
            var decoder = CBORDecoder(bytes.span.bytes, limits: limits)
            let count = try decoder.array(max: reads.limits.envelopesMax)
            var envelopes: [[UInt8]] = []
            envelopes.reserveCapacity(count)
            for _ in 0..<count { envelopes.append(try decoder.bytes()) }
            try decoder.finish()
            guard count > 0 else { throw decoder.invalid("at least one envelope") }
            return envelopes
        } catch {
            throw .badBody
        }
    }
}

/// `{"results":[{"id","envelope","status","code","codeName","messageEn","messageZh","height","index"}…]}`.
enum SubmissionWriter {
    static func body(_ results: [SubmissionResult]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(results.count * 384 + 16)
        bytes.append(contentsOf: "{\"results\":[".utf8)
        for (index, result) in results.enumerated() {
            if index > 0 { bytes.append(0x2C) }
            write(result, into: &bytes)
        }
        bytes.append(contentsOf: "]}".utf8)
        return bytes
    }

    static func write(_ result: SubmissionResult, into bytes: inout [UInt8]) {
        bytes.append(contentsOf: "{\"id\":".utf8)
        write(result.id, into: &bytes)
        bytes.append(contentsOf: ",\"envelope\":".utf8)
        write(result.envelopeDigest, into: &bytes)
        bytes.append(contentsOf: ",\"status\":\"".utf8)
        bytes.append(contentsOf: result.status.rawValue.utf8)
        bytes.append(0x22)
        bytes.append(contentsOf: codes[result.code] ?? [])
        bytes.append(contentsOf: ",\"height\":".utf8)
        write(result.height, into: &bytes)
        bytes.append(contentsOf: ",\"index\":".utf8)
        write(result.index, into: &bytes)
        bytes.append(0x7D)
    }

    /// `,"code":…,"codeName":…,"messageEn":…,"messageZh":…` of every code, made once.
    private static let codes: [OutcomeCode: [UInt8]] = Dictionary(
        uniqueKeysWithValues: OutcomeCode.allCases.map { code in
            let members: JSONValue = [
                "code": .unsigned(code.rawValue), "codeName": .text(code.name),
                "messageEn": .text(code.messageEn), "messageZh": .text(code.messageZh),
            ]
            return (code, [0x2C] + members.encodedBytes.dropFirst().dropLast())
        })

    private static let digits = Array("0123456789abcdef".utf8)

    private static func write(_ digest: Digest?, into bytes: inout [UInt8]) {
        guard let digest else { return bytes.append(contentsOf: "null".utf8) }
        bytes.append(0x22)
        digest.withBytes { raw in
            for byte in raw {
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            }
        }
        bytes.append(0x22)
    }

    private static func write(_ number: UInt64?, into bytes: inout [UInt8]) {
        guard let number else { return bytes.append(contentsOf: "null".utf8) }
        bytes.append(contentsOf: String(number).utf8)
    }
}
