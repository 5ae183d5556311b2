/// What ArgumentParser finds wrong with a command line, in Chinese. It says so in English alone and keeps its errors to itself, so
/// its sentences are what there is to go by; one that is not known here is told as wrong usage.
enum UsageText {
    /// - Parameter english: the library's message, or that of a `ValidationError`.
    /// - Returns: nil for a message that has Chinese of its own.
    static func chinese(_ english: String) -> String? {
        if let known = known(english) { return known }
        return english.contains(/\ \/ .*\p{Script=Han}/) ? nil : "用法错误"
    }

    private static func known(_ text: String) -> String? {
        // `-config`: a name with a dash too few, or short options in one word.
        if let found = text.wholeMatch(of: /(?s)(Unknown option .*)\n   or: (.*) in '(.*)'/),
            let name = known(String(found.1)), let value = known(String(found.2))
        {
            return "\(name)；或 \(found.3) 中\(value)"
        }
        for sentence in sentences {
            guard let found = text.wholeMatch(of: sentence.english) else { continue }
            return sentence.chinese(found.output.map { $0.substring ?? "" })
        }
        return nil
    }

    private typealias Sentence = (
        english: Regex<AnyRegexOutput>, chinese: ([Substring]) -> String
    )

    /// Words in quotation marks are the caller's and may hold anything, line feeds and quotation marks too.
    private static var sentences: [Sentence] {
        [
            (
                Regex(/(?s)Unknown option '(.*)'\. Did you mean '(.*)'\?/),
                { "未知选项 \($0[1])，是否指 \($0[2])？" }
            ),
            (Regex(/(?s)Unknown option '(.*)'/), { "未知选项 \($0[1])" }),
            (Regex(/(?s)Invalid option: (.*)/), { "无效选项：\($0[1])" }),
            (Regex(/(?s)Missing value for '(.*)'/), { "选项缺少值：\($0[1])" }),
            (
                Regex(/(?s)The option '(.*)' does not take any value, but '(.*)' was specified\./),
                { "选项 \($0[1]) 不带值，却给出了 \($0[2])" }
            ),
            (Regex(/(?s)Unexpected argument '(.*)'/), { "多余的参数：\($0[1])" }),
            (
                Regex(/(?s)(\d+) unexpected arguments: (.*)/),
                { "多余的 \($0[1]) 个参数：\($0[2])" }
            ),
            (Regex(/(?s)Missing expected argument '(.*)'/), { "缺少参数：\($0[1])" }),
            (
                Regex(/(?s)Value to be set with flag '(.*)' had already been set with flag '(.*)'/),
                { "\($0[1]) 与先前的 \($0[2]) 冲突" }
            ),
            (
                Regex(/(?s)The value '(.*)' is invalid for '(.*?)'(\. Please .*)?/),
                { "\($0[2]) 的值 \($0[1]) 无效" + ($0[3].isEmpty ? "" : "，可选：\(list($0[3]))") }
            ),
            (
                Regex(/(?s)Can't generate completion scripts for '(.*?)'\..*/),
                { "没有 \($0[1]) 的补全脚本，可选：zsh、bash、fish" }
            ),
        ]
    }

    /// The library's `'a', 'b' or 'c'.` or one a line.
    private static func list(_ english: Substring) -> String {
        let quoted = english.matches(of: /'([^']*)'/).map(\.1)
        guard quoted.isEmpty else { return quoted.joined(separator: "、") }
        return english.split(separator: "\n").dropFirst()
            .map { $0.drop { $0 == " " || $0 == "-" } }.joined(separator: "、")
    }
}
