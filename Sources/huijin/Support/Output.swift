import ArgumentParser
import Client
import Files
import Foundation
import LightClient
import Synchronization

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json

    /// What the command line asks for, for errors that come before it is understood.
    init(askedBy words: [String]) {
        let isJSON = words.indices.contains { index in
            words[index] == "--output=json"
                || (words[index] == "--output" && words[(index + 1)...].first == "json")
        }
        self = isJSON ? .json : .text
    }
}

/// What a command prints: its answer on standard output, everything else on standard error.
///
/// Nodes and members choose many of the texts: none of them reaches a terminal with what could move its cursor, turn a line
/// around or begin another.
enum Output {
    /// One JSON object, or the same fields a line each.
    ///
    /// - Throws: `Failure` when nobody can have read it, as do the others that print answers.
    static func show(_ answer: JSONValue, as format: OutputFormat) throws {
        switch format {
        case .json: try line(json: answer.encodedText)
        case .text: try write(lines(answer).map { $0.printable + "\n" }.joined())
        }
    }

    static func line(_ text: String) throws { try write(text.printable + "\n") }

    /// - Parameter text: as our JSON writer has it, which escapes what is not printable.
    static func line(json text: String) throws { try write(text + "\n") }

    static func progress(_ text: String) {
        // Where there is no standard error there is nobody to tell.
        _ = WholeFile.write(Array((text.printable + "\n").utf8), to: STDERR_FILENO)
    }

    static func complain(_ failure: Failure, as format: OutputFormat) {
        explain(failure, as: format)
        progress("\(failure.english) / \(failure.chinese)")
    }

    /// What JSON output holds of wrong usage.
    ///
    /// - Parameter chinese: nil where the text has both languages.
    static func explain(usage text: String, _ chinese: String?) {
        let both = chinese.map { "\(text) / \($0)" } ?? text
        let answer: JSONValue = [
            "codeName": .text(ExitStatus.usage.name), "message": .text(both),
        ]
        explain(Failure(.usage, text, chinese ?? "", answer: answer), as: .json)
    }

    /// What standard output holds of a failure: of one that comes after an answer only what belongs to that. JSON is never missing.
    static func explain(_ failure: Failure, as format: OutputFormat) {
        let isOwed = format == .json && !hasAnswered.load(ordering: .relaxed)
        guard let answer = failure.answer ?? (isOwed ? failure.json : nil) else { return }
        // Why the command failed says more than that its answer cannot be written as well.
        try? show(answer, as: format)
    }

    /// Something stands on standard output.
    private static let hasAnswered = Atomic<Bool>(false)

    private static func write(_ text: String) throws {
        guard WholeFile.write(Array(text.utf8), to: STDOUT_FILENO) else {
            let reason = SystemReason.last
            throw Failure(
                .fault,
                "the answer cannot be written to standard output: \(reason.english); what the command did stands",
                "无法写到标准输出：\(reason.chinese)；命令已完成的操作仍然有效")
        }
        hasAnswered.store(true, ordering: .relaxed)
    }

    private static func lines(_ value: JSONValue, indent: String = "") -> [String] {
        switch value {
        case .object(let members):
            members.flatMap { member -> [String] in
                switch member.value {
                case .object(let inner) where !inner.isEmpty:
                    ["\(indent)\(member.name):"] + lines(member.value, indent: indent + "  ")
                case .list(let items) where items.contains { $0.members != nil }:
                    ["\(indent)\(member.name):"]
                        + items.flatMap { item in
                            let inner = lines(item, indent: indent + "    ")
                            return inner.isEmpty
                                ? [] : ["\(indent)  - \(inner[0].trimmed)"] + inner.dropFirst()
                        }
                default: ["\(indent)\(member.name): \(plain(member.value))"]
                }
            }
        default: [indent + plain(value)]
        }
    }

    private static func plain(_ value: JSONValue) -> String {
        switch value {
        case .text(let text): text
        case .list(let items): items.map(plain).joined(separator: ", ")
        case .null: "-"
        default: value.encodedText
        }
    }
}

extension String {
    fileprivate var trimmed: String { String(drop { $0 == " " }) }
}
