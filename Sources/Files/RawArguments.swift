import Glibc

/// The words of the command line as the program was given them.
///
/// `CommandLine.arguments` repairs what is not UTF-8, so that a file of one name would be looked for, or written, under another
/// (a GBK name of an older system, for one). Whoever takes names from there asks here first.
public enum RawArguments {
    /// A word that is not UTF-8.
    public struct Problem: Error, Equatable, Sendable {
        /// Counts from 1, behind the program's name.
        public let number: Int
        /// Its bytes; what is not printable ASCII is escaped.
        public let shown: String

        public var english: String {
            "argument \(number) is not UTF-8: \(shown); give the file a name in UTF-8, or use a link to it"
        }

        public var chinese: String {
            "第 \(number) 个参数不是 UTF-8：\(shown)；请将文件改用 UTF-8 名称，或使用指向它的链接"
        }
    }

    /// Bytes of a word that are shown.
    private static let shownBytesMax = 100

    /// The first of these words that is not UTF-8.
    ///
    /// - Parameter words: without the program's name.
    public static func problem(in words: [[UInt8]]) -> Problem? {
        for (index, word) in words.enumerated()
        where String(validating: word, as: UTF8.self) == nil {
            return Problem(number: index + 1, shown: shown(word))
        }
        return nil
    }

    /// To be called before anything else reads the command line.
    public static func check() throws(Problem) {
        if let problem = problem(in: words()) { throw problem }
    }

    /// Of this program, without its name.
    private static func words() -> [[UInt8]] {
        let count = Int(CommandLine.argc)
        let words = CommandLine.unsafeArgv
        return (1..<max(count, 1)).compactMap { index in
            words[index].map { word in
                Array(UnsafeRawBufferPointer(start: UnsafeRawPointer(word), count: strlen(word)))
            }
        }
    }

    private static func shown(_ word: [UInt8]) -> String {
        var text = ""
        for byte in word.prefix(shownBytesMax) {
            if (0x20..<0x7F).contains(byte), byte != 0x5C {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16)
                text += "\\x" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return word.count > shownBytesMax ? text + "…" : text
    }
}
