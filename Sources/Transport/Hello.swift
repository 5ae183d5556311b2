import Encoding
import Ledger
import LedgerCrypto

/// The first frame of each side: `["huijin/peer", version, chain id]`.
package struct Hello: Equatable, Sendable, CBOREncodable, CBORDecodable {
    let version: UInt64
    let chain: ChainID

    static let text = "huijin/peer"
    package static let currentVersion: UInt64 = 2

    package init(chain: ChainID, version: UInt64 = Hello.currentVersion) {
        self.version = version
        self.chain = chain
    }

    package func encode(into encoder: inout CBOREncoder) {
        encoder.array(3)
        encoder.text(Hello.text)
        encoder.unsigned(version)
        encoder.value(chain)
    }

    package init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 3)
        guard try decoder.text(max: 32) == Hello.text else {
            throw decoder.invalid("a hello begins with huijin/peer")
        }
        version = try decoder.unsigned()
        chain = try decoder.value()
    }

    /// What keeps the two sides from talking, if anything does.
    func problem(with theirs: [UInt8]) -> NetworkProblem? {
        guard let hello = try? Hello.decode(theirs, limits: LedgerLimits.certificate) else {
            return .badHello
        }
        guard hello.version == version else { return .wrongVersion }
        return hello.chain == chain ? nil : .wrongChain
    }
}
