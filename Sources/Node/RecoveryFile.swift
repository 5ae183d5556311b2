import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Market
import Records

/// The files that a recovery's ceremony reads.
public enum RecoveryFile {
    private struct Seat: Codable {
        let member: String
        let votingKey: String
        let transportKey: String
    }

    /// - Throws: `ConfigurationError` for what is no recovery of this ledger's suite.
    public static func read(
        _ path: String, genesis: Genesis
    ) throws(ConfigurationError) -> Recovery {
        let bytes = try FileBytes.read(
            path, bytesMax: Recovery.limits.bytesMax, file: path, field: nil)
        let recovery: Recovery
        do throws(CBORError) {
            recovery = try Recovery.decode(bytes, limits: Recovery.limits)
        } catch {
            throw problem(path, "it is no recovery: \(error.english)", "不是恢复文件：\(error.chinese)")
        }
        guard recovery.suite == genesis.suite, recovery.last.header.chain == genesis.chain else {
            throw problem(path, "it is of another ledger", "属于另一账本")
        }
        return recovery
    }

    public static func genesis(_ path: String) throws(ConfigurationError) -> Genesis {
        let bytes = try FileBytes.read(
            path, bytesMax: LedgerLimits.genesisBytesMax, file: path, field: nil)
        do throws(CBORError) {
            return try Genesis.decode(bytes, limits: LedgerLimits.genesis)
        } catch {
            throw ConfigurationError(
                file: path, problem: "it is no genesis: \(error.english)",
                problemZh: "不是创世文件：\(error.chinese)",
                remedy: "use the genesis.cbor that the network was made with",
                remedyZh: "请使用建网时的 genesis.cbor")
        }
    }

    /// A key file of `huijin key new` or of an identity.
    public static func key(
        _ path: String, passphrase: String
    ) throws(ConfigurationError) -> SigningKey {
        let bytes = try FileBytes.read(
            path, bytesMax: EncryptedKeyFile.fileBytesMax, file: path, field: nil)
        do throws(KeyFileError) {
            return try EncryptedKeyFile.open(bytes, passphrase: passphrase)
        } catch {
            throw ConfigurationError(
                file: path, problem: error.english, problemZh: error.chinese,
                remedy: "name a signing key's file and its passphrase",
                remedyZh: "请指定签名密钥文件及其口令")
        }
    }

    /// The next epoch's seats: `[{"member": …, "votingKey": …, "transportKey": …}]`, keys in hexadecimal.
    public static func seats(
        _ path: String, suite: Suite
    ) throws(ConfigurationError) -> [Validator] {
        let bytes = try FileBytes.read(path, bytesMax: 1_048_576, file: path, field: nil)
        let seats: [Seat]
        do {
            seats = try JSONDecoder().decode([Seat].self, from: Data(bytes))
        } catch {
            throw problem(
                path, "it is not a JSON list of {\"member\", \"votingKey\", \"transportKey\"}",
                "不是由 {\"member\", \"votingKey\", \"transportKey\"} 组成的 JSON 列表")
        }
        var validators: [Validator] = []
        for (index, seat) in seats.enumerated() {
            guard let member = MemberID(seat.member), let voting = Hex.decode(seat.votingKey),
                let key = try? PublicKey(suite: suite, bytes: voting),
                let transport = Hex.decode(seat.transportKey),
                transport.count == ValidatorRules.transportKeyBytes
            else {
                throw problem(
                    path,
                    "seat \(index) is not a member id, a \(suite.name) public key and "
                        + "\(ValidatorRules.transportKeyBytes) bytes of transport key",
                    "第 \(index) 席应为成员编号、\(suite.name) 公钥与 \(ValidatorRules.transportKeyBytes) 字节传输公钥"
                )
            }
            validators.append(
                Validator(member: member, votingKey: key, transportKey: transport))
        }
        return validators
    }

    /// The form that `seats` reads, to start from.
    public static func text(of seats: [Validator]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let list = seats.map {
            Seat(
                member: $0.member.text, votingKey: Hex.encode($0.votingKey.bytes),
                transportKey: Hex.encode($0.transportKey))
        }
        return String(decoding: try encoder.encode(list), as: UTF8.self) + "\n"
    }

    private static func problem(
        _ path: String, _ problem: String, _ problemZh: String
    ) -> ConfigurationError {
        ConfigurationError(
            file: path, problem: problem, problemZh: problemZh,
            remedy: "docs/operations.md says how a ledger is recovered",
            remedyZh: "恢复步骤见 docs/operations.md")
    }
}
