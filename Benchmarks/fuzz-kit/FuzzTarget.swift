import Encoding

/// One decoder of bytes from outside, or something that stands on several.
package struct FuzzTarget {
    package enum Verdict {
        case refused
        /// Accepted, and it says what the input says: encoded again it is the input, or it proves what the true one proves.
        case same
        case different
    }

    /// As it stands in the corpus: words with hyphens between them.
    package let name: String
    package let attempt: ([UInt8]) -> Verdict

    package init(_ name: String, _ attempt: @escaping ([UInt8]) -> Verdict) {
        self.name = String(name.map { $0 == " " || $0 == "." ? "-" : $0 })
        self.attempt = attempt
    }

    /// There is one encoding for each value, so what a decoder accepts must give the same bytes back.
    package static func decoder<Value: CBORCodable>(
        _ name: String, _: Value.Type, limits: CBORLimits
    ) -> FuzzTarget {
        FuzzTarget(name) { input in
            guard let value = try? Value.decode(input, limits: limits) else { return .refused }
            return value.encoded == input ? .same : .different
        }
    }
}
