/// Changes to a text's words and signs that leave it much of its form: JSON, SQL, CSV, a request.
struct TextMutation {
    private static let bytesMax = 1 << 20
    /// What readers of text stumble over: numbers at their limits, marks of other formats, letters that join their neighbours,
    /// turn lines around or have no width.
    private static let strange = [
        "", "0", "-0", "-1", "255", "65536", "4294967296", "9223372036854775807",
        "-9223372036854775808", "18446744073709551615", "18446744073709551616", "1e999", "1e-999",
        "0x10", "nan", "null", "true", "[]", "{}", "\"", "'", "''", "\\", "\\u0000", "\\ud800",
        "\\udc00", "\u{0}", "\n", "\r", "\r\n", "\t", ",", ":", ";", "=", "&", "?", "/", "..", "%",
        "%00", "%2F", "%ff", "--", "/*", "\u{FEFF}", "\u{600}", "\u{600}'", "'\u{301}", "\u{600}\"",
        "\"\u{301}", "\u{301}", "\u{200D}", "\u{202E}", "\u{2028}", "\u{1F1E8}\u{1F1F3}", "é",
        "e\u{301}", "İ", "ß", "\u{212A}", "中",
    ]

    private let words: [Substring.UnicodeScalarView]

    /// Nil for what is not UTF-8.
    init?(_ bytes: [UInt8]) {
        guard bytes.count <= TextMutation.bytesMax,
            let text = String(validating: bytes, as: UTF8.self)
        else { return nil }
        words = TextMutation.words(text)
    }

    /// Runs of letters and digits, runs of spaces, and each other sign by itself.
    private static func words(_ text: String) -> [Substring.UnicodeScalarView] {
        var words: [Substring.UnicodeScalarView] = []
        var rest = text[...].unicodeScalars
        while let first = rest.first {
            var end = rest.index(after: rest.startIndex)
            if let kind = Kind(first) {
                end = rest.firstIndex { Kind($0) != kind } ?? rest.endIndex
            }
            words.append(rest[..<end])
            rest = rest[end...]
        }
        return words
    }

    private enum Kind {
        case word
        case space

        init?(_ scalar: Unicode.Scalar) {
            switch scalar {
            case " ": self = .space
            case "0"..."9", "A"..."Z", "a"..."z", "_", "\u{80}"...: self = .word
            default: return nil
            }
        }
    }

    /// - Parameter other: whose words may come in the place of this one's.
    func changed(times: Int, other: TextMutation, _ random: inout Randomness) -> [UInt8] {
        var words = self.words
        for _ in 0..<times { Self.change(&words, other.words, &random) }
        return words.flatMap { Array(String($0).utf8) }
    }

    private static func change(
        _ words: inout [Substring.UnicodeScalarView], _ other: [Substring.UnicodeScalarView],
        _ random: inout Randomness
    ) {
        let place = random.below(words.count + 1)
        let oddity = Self.strange[random.below(Self.strange.count)][...].unicodeScalars
        guard place < words.count else { return words.append(oddity) }
        let end = min(words.count, place + 1 + random.below(8))
        switch random.below(7) {
        case 0: words[place] = oddity
        case 1: words.insert(oddity, at: place)
        case 2: words.removeSubrange(place..<end)
        case 3: words.insert(contentsOf: words[place..<end], at: random.below(words.count))
        case 4: words.swapAt(place, random.below(words.count))
        case 5 where !other.isEmpty: words[place] = other[random.below(other.count)]
        case 5: words.remove(at: place)
        default:
            // Inside a word.
            var scalars = Array(words[place])
            let middle = random.below(scalars.count + 1)
            scalars.insert(contentsOf: oddity, at: middle)
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars)
            words[place] = view[...]
        }
    }
}
