import Encoding
import Glibc
import Ledger
import LightClient

// `libhuijin_verify.so`, for programs in other languages: huijin_verify.h says what each function takes and gives,
// huijin_verify.py uses it. Nothing is kept between calls, and calls may be made from any thread.

/// What the functions return; the same as the exit codes of `huijin-verify`.
private enum Verdict: Int32 {
    case proven = 0
    case provenFalse = 1
    case notProven = 2
    case misuse = 64
}

private enum Format: Int32 {
    case json = 0
    case text = 1
    /// The JSON, which has no line feed in it, a line feed, and the text.
    case both = 2

    func report(json: @autoclosure () -> JSONNode, text: @autoclosure () -> String) -> String {
        switch self {
        case .json: json().encodedText
        case .text: text()
        case .both: json().encodedText + "\n" + text()
        }
    }
}

@_cdecl("huijin_verify")
public func huijinVerify(
    _ genesis: UnsafePointer<UInt8>?, _ genesisBytes: Int, _ bundle: UnsafePointer<UInt8>?,
    _ bundleBytes: Int, _ format: Int32,
    _ report: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> Int32 {
    report?.pointee = nil
    guard let format = Format(rawValue: format) else {
        return misuse("no such format", "没有这种格式", .json, report)
    }
    guard let genesisData = bytes(genesis, genesisBytes),
        let bundleData = bytes(bundle, bundleBytes)
    else {
        return misuse("a null pointer or a negative size", "空指针或负长度", format, report)
    }
    let decoded: Genesis
    do throws(CBORError) {
        decoded = try Genesis.decode(genesisData, limits: LedgerLimits.genesis)
    } catch {
        return misuse(
            "not a genesis file: \(error.english)", "不是创世文件：\(error.chinese)", format, report)
    }
    do throws(EvidenceProblem) {
        let answer = try Verifier(genesis: decoded).verify(bundleData)
        give(format.report(json: answer.json, text: EvidenceReport(answer).text), report)
        return Verdict.proven.rawValue
    } catch {
        give(format.report(json: error.json, text: EvidenceReport(error).text), report)
        switch error.standing {
        case .provenFalse: return Verdict.provenFalse.rawValue
        case .notProven, .notYet: return Verdict.notProven.rawValue
        }
    }
}

@_cdecl("huijin_release")
public func huijinRelease(_ report: UnsafeMutablePointer<CChar>?) {
    free(report)
}

private func bytes(_ start: UnsafePointer<UInt8>?, _ count: Int) -> [UInt8]? {
    guard count >= 0, start != nil || count == 0 else { return nil }
    return Array(UnsafeBufferPointer(start: start, count: count))
}

private func misuse(
    _ english: String, _ chinese: String, _ format: Format,
    _ report: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> Int32 {
    let node = JSONNode.members([
        "verdict": .text("misuse"), "fault": .both(english, chinese),
    ])
    give(format.report(json: node, text: "\(english) / \(chinese)\n"), report)
    return Verdict.misuse.rawValue
}

/// The caller's own copy, ended by a zero byte; recorded texts hold none, since reports escape control characters.
private func give(
    _ text: String, _ report: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) {
    report?.pointee = strdup(text)
}
