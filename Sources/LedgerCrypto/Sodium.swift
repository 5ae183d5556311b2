internal import CSodium

/// The one place where libsodium is started; every use goes through `Sodium.ready`.
enum Sodium {
    // sodium_init is idempotent and thread-safe; a static let also makes it cost one load after.
    static let started: Bool = sodium_init() >= 0

    @inline(__always)
    static func ready() {
        precondition(started, "libsodium found no source of randomness")
    }
}

/// The operating system's randomness (getrandom), through libsodium.
public struct SecureRandom {
    /// `count` unpredictable bytes.
    public static func bytes(_ count: Int) -> [UInt8] {
        Sodium.ready()
        var bytes = [UInt8](repeating: 0, count: count)
        randombytes_buf(&bytes, count)
        return bytes
    }
}

/// Secret bytes that are wiped when the last reference goes.
final class SecretBytes: @unchecked Sendable {
    // Written only by `init`, wiped only by `deinit`; in between only read.
    private let base: UnsafePointer<UInt8>
    let count: Int

    init(_ bytes: [UInt8]) {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
        memory.initialize(repeating: 0, count: max(bytes.count, 1))
        for (index, byte) in bytes.enumerated() { memory[index] = byte }
        base = UnsafePointer(memory)
        count = bytes.count
    }

    deinit {
        let memory = UnsafeMutablePointer(mutating: base)
        sodium_memzero(memory, count)
        memory.deallocate()
    }

    func withBytes<Result>(_ body: (UnsafePointer<UInt8>) -> Result) -> Result {
        body(base)
    }

    var bytes: [UInt8] { Array(UnsafeBufferPointer(start: base, count: count)) }
}
