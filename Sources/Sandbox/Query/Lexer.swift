/// A token of a query with the position of its first character, from 1.
struct Token: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
        /// An unquoted name or keyword, as written.
        case word(String)
        /// A name in double quotes.
        case name(String)
        case text(String)
        case integer(Int64)
        /// Digits with a fraction or an exponent, as written.
        case decimal(String)
        /// Punctuation or an operator.
        case symbol(String)
        case end
    }

    let kind: Kind
    let position: Int

    /// Upper-case ASCII form of an unquoted word.
    var keyword: String? {
        if case .word(let text) = kind { return text.asciiUppercased }
        return nil
    }

    func isSymbol(_ symbol: String) -> Bool { kind == .symbol(symbol) }
}

extension String {
    /// Keywords and SQLite's names fold ASCII letters alone.
    var asciiUppercased: String {
        String(
            decoding: utf8.map { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 }, as: UTF8.self)
    }
}

/// Cuts a query into tokens; refuses comments, parameters, blobs and anything else outside the grammar.
struct Lexer {
    static let tokensMax = 4_096
    static let nameBytesMax = 128
    /// SQLite refuses a longer LIKE pattern only when a row meets it, which would show that there is such a row: so the
    /// worker's limit on patterns is this one.
    static let textBytesMax = 1_024

    private let scalars: [Unicode.Scalar]
    private var index = 0

    private init(_ sql: String) { scalars = Array(sql.unicodeScalars) }

    static func tokens(_ sql: String) throws(GateRefusal) -> [Token] {
        var lexer = Lexer(sql)
        var tokens: [Token] = []
        while true {
            let token = try lexer.next()
            tokens.append(token)
            if token.kind == .end { return tokens }
            guard tokens.count <= tokensMax else {
                throw GateRefusal(
                    .sqlRefused, at: token.position,
                    "a query has at most \(tokensMax) words and signs", "查询过长，最多 \(tokensMax) 个词法单元"
                )
            }
        }
    }

    private var current: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }
    private var following: Unicode.Scalar? {
        index + 1 < scalars.count ? scalars[index + 1] : nil
    }

    private static func isDigit(_ scalar: Unicode.Scalar?) -> Bool {
        scalar.map { (0x30...0x39).contains($0.value) } ?? false
    }

    private static func startsName(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x41...0x5A, 0x61...0x7A, 0x5F: true
        // As SQLite has it, but not white space and signs of other scripts.
        case 0x80...: scalar.properties.isAlphabetic
        default: false
        }
    }

    private static func continuesName(_ scalar: Unicode.Scalar) -> Bool {
        startsName(scalar) || isDigit(scalar)
            || scalar.value >= 0x80 && scalar.properties.numericType != nil
    }

    private mutating func next() throws(GateRefusal) -> Token {
        while let scalar = current, [0x20, 0x09, 0x0A, 0x0D].contains(scalar.value) { index += 1 }
        let position = index + 1
        guard let scalar = current else { return Token(kind: .end, position: position) }
        if Lexer.startsName(scalar) { return try word(position) }
        if Lexer.isDigit(scalar) { return try number(position) }
        switch scalar {
        case "'": return Token(kind: .text(try quoted("'", Lexer.textBytesMax)), position: position)
        case "\"":
            return Token(kind: .name(try quoted("\"", Lexer.nameBytesMax)), position: position)
        default: return try symbol(position)
        }
    }

    private mutating func word(_ position: Int) throws(GateRefusal) -> Token {
        var text = String.UnicodeScalarView()
        while let scalar = current, Lexer.continuesName(scalar) {
            text.append(scalar)
            index += 1
        }
        let word = String(text)
        guard word.utf8.count <= Lexer.nameBytesMax else { throw tooLong(position) }
        return Token(kind: .word(word), position: position)
    }

    private func tooLong(_ position: Int) -> GateRefusal {
        GateRefusal(
            .sqlRefused, at: position,
            "a name has at most \(Lexer.nameBytesMax) bytes, a text \(Lexer.textBytesMax)",
            "名称最长 \(Lexer.nameBytesMax) 字节，文本最长 \(Lexer.textBytesMax) 字节")
    }

    private mutating func quoted(
        _ mark: Unicode.Scalar, _ bytesMax: Int
    ) throws(GateRefusal) -> String {
        let position = index + 1
        index += 1
        var text = String.UnicodeScalarView()
        while let scalar = current {
            index += 1
            guard scalar.value != 0 else { break }
            if scalar == mark {
                guard current == mark else {
                    let found = String(text)
                    guard found.utf8.count <= bytesMax else { throw tooLong(position) }
                    return found
                }
                index += 1
            }
            text.append(scalar)
        }
        throw GateRefusal(
            .sqlRefused, at: position, "the quotation mark is not closed, or a NUL stands in it",
            "引号未闭合，或其中含有 NUL")
    }

    private mutating func digits(_ text: inout String.UnicodeScalarView) {
        while let scalar = current, Lexer.isDigit(scalar) {
            text.append(scalar)
            index += 1
        }
    }

    private mutating func number(_ position: Int) throws(GateRefusal) -> Token {
        var text = String.UnicodeScalarView()
        var isDecimal = false
        digits(&text)
        if current == ".", Lexer.isDigit(following) {
            isDecimal = true
            text.append(".")
            index += 1
            digits(&text)
        }
        if current == "e" || current == "E" {
            isDecimal = true
            text.append("e")
            index += 1
            if let sign = current, sign == "+" || sign == "-" {
                text.append(sign)
                index += 1
            }
            guard Lexer.isDigit(current) else { throw badNumber(position) }
            digits(&text)
        }
        if let scalar = current, Lexer.continuesName(scalar) || scalar == "." {
            throw badNumber(position)
        }
        let written = String(text)
        guard written.utf8.count <= 40 else { throw badNumber(position) }
        if isDecimal {
            guard let value = Double(written), value.isFinite else { throw badNumber(position) }
            return Token(kind: .decimal(written), position: position)
        }
        guard let value = Int64(written) else { throw badNumber(position) }
        return Token(kind: .integer(value), position: position)
    }

    private func badNumber(_ position: Int) -> GateRefusal {
        GateRefusal(
            .sqlRefused, at: position,
            "a number is like 12, 1.5 or 1e-3, and fits 64 bits", "数字应形如 12、1.5、1e-3，且不超过 64 位")
    }

    private mutating func symbol(_ position: Int) throws(GateRefusal) -> Token {
        let pair = current.flatMap { first in following.map { "\(first)\($0)" } } ?? ""
        if ["<=", ">=", "<>", "!=", "=="].contains(pair) {
            index += 2
            let symbol = pair == "!=" ? "<>" : pair == "==" ? "=" : pair
            return Token(kind: .symbol(symbol), position: position)
        }
        if pair == "--" || pair == "/*" {
            throw GateRefusal(
                .sqlRefused, at: position, "comments are not allowed", "不允许注释")
        }
        let single = current.map { String($0) } ?? ""
        guard ["(", ")", ",", "*", "+", "-", "/", "=", "<", ">", ";", "."].contains(single) else {
            throw GateRefusal(
                .sqlRefused, at: position,
                "this sign is not part of a query; allowed are names, numbers, 'texts' and ( ) , * + - / = < > <= >= <>",
                "不支持的符号；可用名称、数字、'文本' 和 ( ) , * + - / = < > <= >= <>")
        }
        index += 1
        return Token(kind: .symbol(single), position: position)
    }
}
