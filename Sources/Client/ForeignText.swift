import LightClient

/// Texts that somebody else chose: a node, a sandbox, or whoever wrote an address.
///
/// An answer may be megabytes long, and all of it one error message. Wherever such a text is shown or logged, this much of
/// it is.
public enum ForeignText {
    /// Unicode scalars.
    public static let charactersMax = 300
    static let codeCharactersMax = 64
}

extension String {
    /// At most `max` Unicode scalars of it and then `…`, all of them printable and on one line.
    public func shortened(to max: Int = ForeignText.charactersMax) -> String {
        // Twice: what is not printable takes more room when it is shown.
        let shown = scalars(max).printable
        let isWhole = unicodeScalars.dropFirst(max).isEmpty
        return isWhole && shown.unicodeScalars.dropFirst(max).isEmpty
            ? shown : shown.scalars(max) + "…"
    }

    private func scalars(_ count: Int) -> String {
        String(String.UnicodeScalarView(unicodeScalars.prefix(count)))
    }
}

extension JSONValue {
    /// With every name and text in it shortened.
    public var shortened: JSONValue {
        switch self {
        case .text(let text): .text(text.shortened())
        case .list(let items): .list(items.map(\.shortened))
        case .object(let members):
            .object(members.map { JSONMember($0.name.shortened(), $0.value.shortened) })
        case .null, .bool, .unsigned, .negative, .real: self
        }
    }
}
