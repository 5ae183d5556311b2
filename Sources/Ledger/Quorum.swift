/// How many validators decide.
///
/// With `n` validators at most `f = ⌊(n−1)/3⌋` may be Byzantine, and a quorum is `n − f`: two quorums
/// always share at least one honest validator (Chan & Pass 2023, §2). The light client uses this very function.
public enum Quorum {
    /// The greatest number of Byzantine validators that a set of `count` tolerates.
    public static func faultsTolerated(_ count: Int) -> Int {
        precondition(count > 0, "a validator set is never empty")
        return (count - 1) / 3
    }

    /// The number of distinct validators whose votes make a certificate.
    public static func size(_ count: Int) -> Int {
        count - faultsTolerated(count)
    }
}
