#if !hasFeature(Embedded)
    /// What tables of digests are keyed by: drawn once by each process, and shown to nobody.
    @usableFromInline
    enum TableSecret {
        @usableFromInline
        static let words: (UInt64, UInt64, UInt64, UInt64) = {
            var random = SystemRandomNumberGenerator()
            return (random.next(), random.next(), random.next(), random.next())
        }()
    }
#endif
