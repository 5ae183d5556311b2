// swift-format-ignore-file: AlwaysUseLowerCamelCase
// The names are C's: the compiler holds each function to its declaration in huijin_verify.h.

import CVerifyLibrary
import Encoding
import Glibc
import LightClient

// `libhuijin_verify.so`, for programs in other languages: huijin_verify.h says what each function takes and gives,
// huijin_verify.py uses it. Nothing is kept between calls, and calls may be made from any thread.

private enum Format {
    case json
    case text
    /// The JSON, which has no line feed in it, a line feed, and the text.
    case both

    init?(_ number: Int32) {
        switch number {
        case HUIJIN_JSON: self = .json
        case HUIJIN_TEXT: self = .text
        case HUIJIN_BOTH: self = .both
        default: return nil
        }
    }

    func report(json: @autoclosure () -> JSONNode, text: @autoclosure () -> String) -> String {
        switch self {
        case .json: json().encodedText
        case .text: text()
        case .both: json().encodedText + "\n" + text()
        }
    }
}

@c @implementation
public func huijin_verify(
    _ parts: UnsafePointer<huijin_part>?, _ part_count: Int, _ now_ms: UInt64, _ format: Int32,
    _ result: UnsafeMutablePointer<huijin_result>?
) -> Int32 {
    guard let result else { return HUIJIN_MISUSE }
    result.pointee = huijin_result(report: nil, kept: nil, kept_count: 0)
    guard let format = Format(format) else {
        return misuse(
            Parts.Mistake("the format is 0, 1 or 2", "格式应为 0、1 或 2"), .json, result)
    }
    let given: Parts
    do throws(Parts.Mistake) {
        given = try Parts(parts, part_count)
    } catch {
        return misuse(error, format, result)
    }
    do throws(EvidenceProblem) {
        let judgement = try given.verifier.get().judge(given.bundle, given.inquiry, nowMs: now_ms)
        tell(format.report(json: judgement.json, text: judgement.report.text), result)
        switch judgement {
        case .proven: return HUIJIN_PROVEN
        case .followed(let followed):
            if given.isKept { keep(followed.trust.encoded, result) }
            return HUIJIN_PROVEN
        case .fork(let fork):
            keep(fork.evidence.encoded, result)
            return HUIJIN_FORK
        case .twoHistories: return HUIJIN_FORK
        }
    } catch {
        tell(format.report(json: error.json, text: EvidenceReport(error).text), result)
        switch error.standing {
        case .provenFalse: return HUIJIN_PROVEN_FALSE
        case .notProven, .notYet: return HUIJIN_NOT_PROVEN
        }
    }
}

@c @implementation
public func huijin_release(_ result: UnsafeMutablePointer<huijin_result>?) {
    guard let result else { return }
    free(result.pointee.report)
    free(result.pointee.kept)
    result.pointee = huijin_result(report: nil, kept: nil, kept_count: 0)
}

private func misuse(
    _ mistake: Parts.Mistake, _ format: Format, _ result: UnsafeMutablePointer<huijin_result>
) -> Int32 {
    let node = JSONNode.members([
        "verdict": .text("misuse"), "fault": .both(mistake.english, mistake.chinese),
    ])
    tell(
        format.report(json: node, text: "\(mistake.english) / \(mistake.chinese)\n"), result)
    return HUIJIN_MISUSE
}

/// The caller's own copy, ended by a zero byte; there is none within, since what is not printable is escaped.
private func tell(_ text: String, _ result: UnsafeMutablePointer<huijin_result>) {
    result.pointee.report = strdup(text)
}

/// The caller's own copy; none when memory is short.
private func keep(_ bytes: [UInt8], _ result: UnsafeMutablePointer<huijin_result>) {
    guard let copy = malloc(bytes.count) else { return }
    copy.copyMemory(from: bytes, byteCount: bytes.count)
    result.pointee.kept = copy.assumingMemoryBound(to: UInt8.self)
    result.pointee.kept_count = bytes.count
}
