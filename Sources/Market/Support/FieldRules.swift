import Records

/// Rules on single values that several kinds share. Lengths are the decoder's business (`RecordLimits`).
enum FieldRules {
    /// Not empty, and without control characters: what can stand on one line of a report.
    static func isLine(_ text: String) -> Bool {
        !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
    }
}

extension Mandate {
    /// Those of persons: what a member's programs may not sign alone.
    static let persons: [Mandate] = [.maker, .checker, .legalRepresentative]
}
