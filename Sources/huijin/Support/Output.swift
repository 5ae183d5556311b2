import ArgumentParser
import Client
import Foundation

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
}

/// What a command prints: its answer on standard output, everything else on standard error.
enum Output {
    /// One JSON object, or the same fields a line each.
    static func show(_ answer: JSONValue, as format: OutputFormat) {
        switch format {
        case .json: write(answer.encodedText + "\n", to: .standardOutput)
        case .text:
            for line in lines(answer) { write(line + "\n", to: .standardOutput) }
        }
    }

    static func line(_ text: String) { write(text + "\n", to: .standardOutput) }

    static func progress(_ text: String) {
        write(text + "\n", to: .standardError)
    }

    static func complain(_ failure: Failure, as format: OutputFormat) {
        if let answer = failure.answer { show(answer, as: format) }
        progress("\(failure.english) / \(failure.chinese)")
    }

    private static func write(_ text: String, to file: FileHandle) {
        // A closed pipe is the reader's choice, not an error of ours.
        try? file.write(contentsOf: Data(text.utf8))
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
