internal import COpenSSL

/// A running digest. SHA-256 needs no heap; SM3 borrows a pooled OpenSSL context.
public struct DigestState: ~Copyable {
    private var state: huijin_digest_state

    public init(_ suite: Suite) {
        state = huijin_digest_state()
        huijin_digest_init(&state, suite.digestAlgorithm)
    }

    deinit {
        var unfinished = state
        huijin_digest_discard(&unfinished)
    }

    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { huijin_digest_update(&state, $0.baseAddress, $0.count) }
    }

    public mutating func update(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { huijin_digest_update(&state, $0.baseAddress, $0.count) }
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        huijin_digest_update(&state, bytes.baseAddress, bytes.count)
    }

    public mutating func update(_ digest: Digest) {
        digest.withBytes { huijin_digest_update(&state, $0.baseAddress, $0.count) }
    }

    public mutating func update(byte: UInt8) {
        withUnsafeBytes(of: byte) { huijin_digest_update(&state, $0.baseAddress, 1) }
    }

    public consuming func finalize() -> Digest {
        // Leaves nothing for `deinit` to give back.
        Digest { huijin_digest_final(&state, $0) }
    }
}

extension Suite {
    var digestAlgorithm: Int32 {
        switch self {
        case .ed25519SHA256: HUIJIN_SHA256
        case .sm2SM3: HUIJIN_SM3
        }
    }

    /// H(bytes).
    public func digest(_ bytes: [UInt8]) -> Digest {
        bytes.withUnsafeBytes { digest($0) }
    }

    /// H(bytes).
    public func digest(_ bytes: ArraySlice<UInt8>) -> Digest {
        bytes.withUnsafeBytes { digest($0) }
    }

    /// H(bytes).
    public func digest(_ bytes: UnsafeRawBufferPointer) -> Digest {
        Digest { huijin_digest(digestAlgorithm, bytes.baseAddress, bytes.count, $0) }
    }

    /// H(0x00 ‖ bytes): a leaf of an RFC 9162 §2.1.1 tree.
    public func leafDigest(_ bytes: [UInt8]) -> Digest {
        bytes.withUnsafeBytes { leafDigest($0) }
    }

    /// H(0x00 ‖ bytes): a leaf of an RFC 9162 §2.1.1 tree.
    public func leafDigest(_ bytes: UnsafeRawBufferPointer) -> Digest {
        Digest {
            huijin_digest_prefixed(digestAlgorithm, 0x00, bytes.baseAddress, bytes.count, $0)
        }
    }

    /// H(0x00 ‖ first ‖ second): a leaf of the state map, which holds a key and a value's digest.
    public func leafDigest(_ first: Digest, _ second: Digest) -> Digest {
        withUnsafeBytes(of: (first, second)) { leafDigest($0) }
    }

    /// H(0x01 ‖ left ‖ right): an inner node of an RFC 9162 §2.1.1 tree.
    public func nodeDigest(_ left: Digest, _ right: Digest) -> Digest {
        left.withBytes { leftBytes in
            right.withBytes { rightBytes in
                guard let leftBase = leftBytes.baseAddress, let rightBase = rightBytes.baseAddress
                else { preconditionFailure("a digest has an address") }
                return Digest { huijin_digest_node(digestAlgorithm, leftBase, rightBase, $0) }
            }
        }
    }
}
