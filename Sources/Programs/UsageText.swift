/// What ArgumentParser finds wrong with a command line, in Chinese. It says so in English alone and keeps its errors to itself, so
/// its sentences are what there is to go by; one that is not known here is told as wrong usage.
enum UsageText {
    /// - Parameter english: the library's message, or that of a `ValidationError`.
    /// - Returns: nil for a message that has Chinese of its own.
    static func chinese(_ english: String) -> String? {
        if let known = known(english) { return known }
        return english.unicodeScalars.contains(where: isChinese) ? nil : "用法错误"
    }

    private static func isChinese(_ scalar: Unicode.Scalar) -> Bool {
        (0x4E00...0x9FFF).contains(scalar.value)
    }

    // Words in quotation marks are the caller's and may hold anything, line feeds and quotation marks too.
    private static func known(_ text: String) -> String? {
        if let found = text.wholeMatch(of: /(?s)Unknown option '(.*)'\. Did you mean '(.*)'\?/) {
            return "未知选项 \(found.1)，是否指 \(found.2)？"
        }
        if let found = text.wholeMatch(of: /(?s)Unknown option '(.*)'/) {
            return "未知选项 \(found.1)"
        }
        if let found = text.wholeMatch(of: /(?s)Missing value for '(.*)'/) {
            return "选项缺少值：\(found.1)"
        }
        if let found = text.wholeMatch(
            of: /(?s)The option '(.*)' does not take any value, but '(.*)' was specified\./)
        {
            return "选项 \(found.1) 不带值，却给出了 \(found.2)"
        }
        if let found = text.wholeMatch(of: /(?s)Unexpected argument '(.*)'/) {
            return "多余的参数：\(found.1)"
        }
        if let found = text.wholeMatch(of: /(?s)(\d+) unexpected arguments: (.*)/) {
            return "多余的 \(found.1) 个参数：\(found.2)"
        }
        if let found = text.wholeMatch(of: /(?s)Missing expected argument '(.*)'/) {
            return "缺少参数：\(found.1)"
        }
        if let found = text.wholeMatch(of: /(?s)Missing one of: (.*)/) {
            return "缺少下列参数之一：\(found.1)"
        }
        if let found = text.wholeMatch(
            of: /(?s)Value to be set with flag '(.*)' had already been set with flag '(.*)'/)
        {
            return "\(found.1) 与先前的 \(found.2) 冲突"
        }
        if let found = text.wholeMatch(
            of: /(?s)The value '(.*)' is invalid for '(.*?)'(?:\. Please provide one of (.*))?/)
        {
            let choices = found.3.map { "，可选：\(list($0))" } ?? ""
            return "\(found.2) 的值 \(found.1) 无效\(choices)"
        }
        return nil
    }

    /// The library's `'a', 'b' or 'c'.` or one a line.
    private static func list(_ english: Substring) -> String {
        let quoted = english.matches(of: /'([^']*)'/).map(\.1)
        guard quoted.isEmpty else { return quoted.joined(separator: "、") }
        return english.split(separator: "\n").dropFirst()
            .map { $0.drop { $0 == " " || $0 == "-" } }.joined(separator: "、")
    }
}
