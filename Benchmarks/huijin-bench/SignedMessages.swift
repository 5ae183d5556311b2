import LedgerCrypto

/// Messages of 200 bytes with valid signatures, to be checked in turn.
///
/// Many by several keys, as a node has them, take up to a tenth longer each than one that is checked again and again: the processor
/// learns its way through that one.
struct SignedMessages: Sendable {
    /// Enough that nothing is learnt of any of them.
    static let many = 1_024

    private struct Signed: Sendable {
        let key: PublicKey
        let message: [UInt8]
        let signature: [UInt8]
    }

    private static let messageBytes = 200
    private static let keys = 16
    private let all: [Signed]

    init(_ suite: Suite, count: Int) {
        let keys = (0..<min(count, Self.keys)).map { _ in SigningKey.generate(suite) }
        all = (0..<count).map { number in
            let key = keys[number % keys.count]
            let message = SecureRandom.bytes(Self.messageBytes)
            return Signed(key: key.publicKey, message: message, signature: key.sign(message))
        }
    }

    /// - Parameter number: any from 0 on; they come round again.
    func check(_ number: Int) {
        let signed = all[number % all.count]
        precondition(signed.key.isValid(signature: signed.signature, over: signed.message))
    }

    /// CPU seconds of one check: the mean of `count`.
    func seconds(of count: Int) -> Double {
        Stopwatch.seconds { for number in 0..<count { check(number) } } / Double(count)
    }

    /// CPU seconds of `work`, and of one check right before and after it: the machine's speed drifts within a second.
    func beside(_ work: () throws -> Void) rethrows -> (seconds: Double, signature: Double) {
        let before = seconds(of: SignedMessages.many)
        let seconds = try Stopwatch.seconds(work)
        return (seconds, (before + self.seconds(of: SignedMessages.many)) / 2)
    }
}
