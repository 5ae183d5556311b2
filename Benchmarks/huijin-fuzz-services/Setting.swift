import Crypto
import Dispatch
import Foundation
import Ledger
import LedgerCrypto
import Logging
import Market
import Policy
import Records
import Synchronization
import Transport
import X509

/// A folder that goes when the run is over.
struct Scratch {
    let path: String

    init() throws {
        // In memory where the system has such a folder: there it takes no time to wait for the disk.
        let memory = "/dev/shm"
        let parent =
            FileManager.default.isWritableFile(atPath: memory)
            ? memory : FileManager.default.temporaryDirectory.path
        path = parent + "/huijin-fuzz-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = "\(path)/\(name)"
        try Data(bytes).write(to: URL(filePath: file))
        return file
    }

    func folder(_ name: String) throws -> String {
        let folder = "\(path)/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }
}

/// A ledger of one validator whose governor signs.
struct Setting {
    let scratch: Scratch
    let genesis: Genesis
    let member: MemberID
    let memberKey: SigningKey
    let votingKey: SigningKey
    let transport: (certificatePEM: [UInt8], keyPEM: [UInt8], identity: TransportIdentity)

    static let silent = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }

    init(_ scratch: Scratch) throws {
        self.scratch = scratch
        guard let code = SocialCreditCode.generate(serial: 1), let member = MemberID(code.text)
        else { preconditionFailure("a generated code is a member id") }
        self.member = member
        memberKey = SigningKey.generate(.ed25519SHA256)
        votingKey = SigningKey.generate(.ed25519SHA256)
        transport = try Setting.makeTransport()
        let seat = Validator(
            member: member, votingKey: votingKey.publicKey,
            transportKey: transport.identity.publicKey)
        guard let validators = ValidatorSet(epoch: 0, validators: [seat]) else {
            preconditionFailure("one validator is a set")
        }
        var builder = GenesisBuilder(suite: .ed25519SHA256)
        try builder.add(
            member: member, nameZh: "治理", nameEn: "Governor", roles: [.governor, .outputReviewer],
            keys: [.init(memberKey.publicKey, person: "governor")])
        genesis = builder.genesis(
            name: "fuzz", timeMs: Setting.nowMs - 1_000, parameters: Parameters(),
            validators: validators)
    }

    private static func makeTransport() throws -> (
        certificatePEM: [UInt8], keyPEM: [UInt8], identity: TransportIdentity
    ) {
        let key = P256.Signing.PrivateKey()
        let name = try DistinguishedName { CommonName("huijin") }
        // Long past: pinned keys do not care about dates.
        let certificate = try X509.Certificate(
            version: .v3, serialNumber: X509.Certificate.SerialNumber(),
            publicKey: .init(key.publicKey), notValidBefore: Date(timeIntervalSince1970: 0),
            notValidAfter: Date(timeIntervalSince1970: 1), issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256, extensions: X509.Certificate.Extensions(),
            issuerPrivateKey: .init(key))
        let (pem, keyPEM) = (
            Array(try certificate.serializeAsPEM().pemString.utf8),
            Array(key.pemRepresentation.utf8)
        )
        return (pem, keyPEM, try TransportIdentity(certificatePEM: pem, privateKeyPEM: keyPEM))
    }

    static var nowMs: UInt64 { UInt64(max(0, Date().timeIntervalSince1970 * 1_000)) }
}

/// What an asynchronous call comes to: targets are called one after another, on a thread of their own.
func waiting<Value: Sendable>(for body: @escaping @Sendable () async throws -> Value) throws
    -> Value
{
    let box = Box<Value>()
    let done = DispatchSemaphore(value: 0)
    Task.detached {
        let result: Result<Value, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        box.result.withLock { $0 = result }
        done.signal()
    }
    done.wait()
    guard let result = box.result.withLock({ $0 }) else {
        preconditionFailure("a result is there before the signal")
    }
    return try result.get()
}

private final class Box<Value: Sendable>: Sendable {
    let result = Mutex<Result<Value, any Error>?>(nil)
}
