import CVerifyLibrary
import Encoding
import Ledger
import LedgerCrypto
import LightClient

/// What a caller brought, read but for the bundle.
struct Parts {
    let verifier: Result<Verifier, EvidenceProblem>
    let bundle: [UInt8]
    let inquiry: Inquiry
    /// Whether the caller keeps what is trusted from now on.
    let isKept: Bool

    /// What is wrong with the arguments, in both languages.
    struct Mistake: Error {
        let english: String
        let chinese: String

        /// What a caller wrote is in some of them.
        init(_ english: String, _ chinese: String) {
            self.english = english.printable
            self.chinese = chinese.printable
        }
    }

    init(_ parts: UnsafePointer<huijin_part>?, _ count: Int) throws(Mistake) {
        let parts = try Given(parts, count)
        guard let genesisBytes = parts[HUIJIN_GENESIS], let bundle = parts[HUIJIN_BUNDLE] else {
            throw Mistake(
                "a genesis and a bundle are always needed", "创世文件与证据包均不可缺")
        }
        let genesis: Genesis
        do throws(CBORError) {
            genesis = try Genesis.decode(genesisBytes, limits: LedgerLimits.genesis)
        } catch {
            throw Mistake("not a genesis file: \(error.english)", "不是创世文件：\(error.chinese)")
        }
        let accepted = try Self.checkpoint(parts)
        let kept = try Self.kept(parts)
        guard let trust = TrustedChain(kept: kept, accepted: accepted, genesis: genesis) else {
            throw Mistake(
                "what is trusted starts with another header than the accepted one",
                "信任文件的信任起点不是所接受的区块头")
        }
        do throws(EvidenceProblem) {
            verifier = .success(try Verifier(genesis: genesis, trust: trust))
        } catch {
            verifier = .failure(error)
        }
        self.bundle = bundle
        isKept = parts.has(HUIJIN_TRUST)
        inquiry = Inquiry(
            asked: try Self.asked(parts), testimony: try Self.testimony(parts),
            isFollowed: isKept || parts.has(HUIJIN_CHECKPOINT))
    }

    private static func checkpoint(_ parts: Given) throws(Mistake) -> TrustedChain? {
        guard let file = parts[HUIJIN_CHECKPOINT] else {
            guard !parts.has(HUIJIN_ACCEPTED) else {
                throw Mistake(
                    "an accepted digest without a checkpoint", "给出了区块头摘要，但未给出检查点文件")
            }
            return nil
        }
        guard let text = parts.text(HUIJIN_ACCEPTED), let digest = Digest(hex: text) else {
            throw Mistake(
                "a checkpoint needs its header's digest in 64 lower-case hexadecimal digits",
                "使用检查点时须给出其区块头摘要，为 64 位小写十六进制数")
        }
        do throws(EvidenceProblem) {
            return try TrustedChain(accepting: digest, checkpointFile: file)
        } catch {
            throw Mistake("checkpoint: \(error.english)", "检查点：\(error.chinese)")
        }
    }

    /// Nothing at the first call.
    private static func kept(_ parts: Given) throws(Mistake) -> TrustedChain? {
        guard let bytes = parts[HUIJIN_TRUST], !bytes.isEmpty else { return nil }
        do throws(CBORError) {
            return try TrustedChain.decode(bytes, limits: TrustedChain.limits)
        } catch {
            throw Mistake("not a trust file: \(error.english)", "不是信任文件：\(error.chinese)")
        }
    }

    private static func asked(_ parts: Given) throws(Mistake) -> [AskedQuestion] {
        var asked: [AskedQuestion] = []
        for text in try parts.texts(HUIJIN_EXPECTED) {
            do throws(QuestionMistake) {
                asked.append(try AskedQuestion(text))
            } catch {
                throw Mistake("question: \(error.english)", "问题：\(error.chinese)")
            }
        }
        return asked
    }

    private static func testimony(_ parts: Given) throws(Mistake) -> Inquiry.Testimony? {
        var witnesses: [LogCosigner] = []
        for text in try parts.texts(HUIJIN_WITNESS) {
            guard let witness = LogCosigner(verifierKey: text) else {
                throw Mistake(
                    "a witness is a verifier key, name+hash+key (c2sp.org/signed-note), of type 04: Ed25519, cosignature/v1",
                    "见证方须以核验密钥表示：名称+标识+密钥（c2sp.org/signed-note），04 型，即 Ed25519、cosignature/v1")
            }
            witnesses.append(witness)
        }
        guard witnesses.isEmpty != parts.has(HUIJIN_NOTE) else {
            throw Mistake(
                "a note and its witnesses are given together", "检查点文本与见证方须同时给出")
        }
        guard witnesses.count <= LogNote.witnessesMax else {
            throw Mistake(
                "more than \(LogNote.witnessesMax) witnesses", "见证方多于 \(LogNote.witnessesMax) 个")
        }
        return parts[HUIJIN_NOTE].map { .init(note: $0, witnesses: witnesses) }
    }
}

/// The parts as the caller gave them.
private struct Given {
    private let parts: UnsafeBufferPointer<huijin_part>

    private static let kinds = HUIJIN_GENESIS...HUIJIN_WITNESS
    private static let textBytesMax = 4_096

    private static func bytesMax(_ kind: Int32) -> Int {
        switch kind {
        case HUIJIN_GENESIS: LedgerLimits.genesis.bytesMax
        case HUIJIN_BUNDLE: EvidenceLimits.standard.bundleBytesMax
        case HUIJIN_CHECKPOINT: TrustStart.fileBytesMax
        case HUIJIN_TRUST: TrustedChain.limits.bytesMax
        case HUIJIN_NOTE: LogNote.bytesMax
        default: textBytesMax
        }
    }

    init(_ start: UnsafePointer<huijin_part>?, _ count: Int) throws(Parts.Mistake) {
        guard let start, (1...Int(HUIJIN_PARTS_MAX)).contains(count) else {
            throw Parts.Mistake(
                "1 to \(HUIJIN_PARTS_MAX) parts are given, questions and witnesses among them",
                "各部分（含问题与核验密钥）须有 1 至 \(HUIJIN_PARTS_MAX) 个")
        }
        parts = UnsafeBufferPointer(start: start, count: count)
        var seen: Set<Int32> = []
        for part in parts {
            guard Self.kinds.contains(part.kind) else {
                throw Parts.Mistake(
                    "a part is of kind \(Self.kinds.lowerBound) to \(Self.kinds.upperBound), not \(part.kind)",
                    "部分的类型应为 \(Self.kinds.lowerBound) 至 \(Self.kinds.upperBound)，而非 \(part.kind)")
            }
            guard part.count >= 0, part.start != nil || part.count == 0 else {
                throw Parts.Mistake(
                    "a part has a null pointer or a negative size", "某部分为空指针或长度为负")
            }
            let bytesMax = Self.bytesMax(part.kind)
            guard part.count <= bytesMax else {
                throw Parts.Mistake(
                    "a part of kind \(part.kind) has \(bytesMax) bytes at most, not \(part.count)",
                    "类型为 \(part.kind) 的部分至多 \(bytesMax) 字节，而非 \(part.count) 字节")
            }
            let isRepeatable = part.kind == HUIJIN_EXPECTED || part.kind == HUIJIN_WITNESS
            guard seen.insert(part.kind).inserted || isRepeatable else {
                throw Parts.Mistake(
                    "of the kind \(part.kind) one part is given at most",
                    "类型为 \(part.kind) 的部分至多一个")
            }
        }
    }

    func has(_ kind: Int32) -> Bool { parts.contains { $0.kind == kind } }

    /// The one part of a kind.
    subscript(kind: Int32) -> [UInt8]? {
        parts.first { $0.kind == kind }.map(Self.bytes)
    }

    /// Nil where there is none, or it is no UTF-8.
    func text(_ kind: Int32) -> String? {
        self[kind].flatMap { String(validating: $0, as: UTF8.self) }
    }

    func texts(_ kind: Int32) throws(Parts.Mistake) -> [String] {
        var texts: [String] = []
        for part in parts where part.kind == kind {
            guard let text = String(validating: Self.bytes(part), as: UTF8.self) else {
                throw Parts.Mistake("a text that is not UTF-8", "文本不是 UTF-8")
            }
            texts.append(text)
        }
        return texts
    }

    private static func bytes(_ part: huijin_part) -> [UInt8] {
        Array(UnsafeBufferPointer(start: part.start, count: part.count))
    }
}
