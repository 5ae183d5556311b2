import Encoding
import Files
import LedgerCrypto
import LightClient

/// A bundle's receipts as files in a folder of their own, all or none of them, named and formed so that `scitt-cose` takes them as they are.
///
/// | file | content |
/// |---|---|
/// | `root.hex` | the log root, which every receipt leads to |
/// | `validator-V.pem` | the public key of a signer: V is its number in the epoch's set |
/// | `entry-N.leaf`, `entry-N.leaf.hex` | the leaf's data of entry N of the bundle |
/// | `entry-N.validator-V.cbor` | the receipt of V for that leaf |
/// | `entry-N.statement.cbor` | a transparent statement, where entry N is a transaction that was signed by itself |
/// | `entry-N.issuer.pem` | the public key with which it was signed, where the bundle proves that |
struct ReceiptFiles {
    private let receipts: BundleReceipts
    private let folder: String

    init(_ receipts: BundleReceipts, folder: String) {
        self.receipts = receipts
        self.folder = folder
    }

    /// - Returns: what was written and how to check it, in English and Chinese.
    func write() throws(WholeFile.Problem) -> String {
        let output = try WholeFolder(folder)
        do throws(WholeFile.Problem) {
            let statements = try write(into: output)
            try output.finish()
            return summary(statements)
        } catch {
            output.discard()
            throw error
        }
    }

    /// - Returns: the numbers of the entries that have a statement.
    private func write(into output: WholeFolder) throws(WholeFile.Problem) -> [Int] {
        try output.write(Array("\(receipts.root.hex)\n".utf8), to: "root.hex")
        let validators = receipts.checkpoint.validators.validators
        for signer in receipts.signers {
            let pem = Self.pem(validators[signer].votingKey)
            try output.write(Array(pem.utf8), to: "validator-\(signer).pem")
        }
        var statements: [Int] = []
        for number in 0..<receipts.entryCount {
            let entry = receipts.entry(number)
            try output.write(entry.leaf, to: "entry-\(number).leaf")
            try output.write(
                Array("\(Hex.encode(entry.leaf))\n".utf8), to: "entry-\(number).leaf.hex")
            for (signer, receipt) in zip(receipts.signers, entry.receipts) {
                try output.write(
                    receipt.encoded, to: "entry-\(number).validator-\(signer).cbor")
            }
            if let statement = entry.statement {
                try output.write(statement.encoded, to: "entry-\(number).statement.cbor")
                statements.append(number)
            }
            if let issuer = entry.issuer {
                try output.write(Array(Self.pem(issuer).utf8), to: "entry-\(number).issuer.pem")
            }
        }
        return statements
    }

    /// How tools of others check one.
    private var otherTools: String {
        switch receipts.suite {
        case .ed25519SHA256:
            let signer = receipts.signers[0]
            return """
                Receipts are checked by, for example / 收据可用下列命令核验:
                  scitt-cose --receipt entry-0.validator-\(signer).cbor --receipt-log-pubkey validator-\(signer).pem \\
                    --leaf-entry-hex "$(cat entry-0.leaf.hex)"
                """
        case .sm2SM3:
            return
                "Receipts with SM2 and SM3 are checked as in docs/interop / SM2、SM3 收据的核验见 docs/interop"
        }
    }

    private func summary(_ statements: [Int]) -> String {
        let header = receipts.checkpoint.header
        let signers = receipts.signers
        let count = receipts.entryCount * signers.count
        let list = statements.isEmpty ? "–" : statements.map { "\($0)" }.joined(separator: ", ")
        let hash = receipts.suite == .ed25519SHA256 ? "SHA-256" : "SM3"
        return """
            PROVEN / 已证明: \(receipts.entryCount) entries, \(signers.count) signers, \(count) receipts in \(folder)
            \(receipts.entryCount) 个条目，\(signers.count) 个签名的记账节点，\(count) 份收据
            log root / 日志根: \(receipts.root.hex)
            log size / 日志长度: \(header.logSize), height / 高度: \(header.height), hash / 杂凑: \(hash)

            \(otherTools)
            A receipt is one validator's word; the bundle holds the quorum's.
            一份收据仅为一个节点的陈述；法定多数的证明在证据包内。
            transparent statements, each with the quorum's receipts, of the entries / 附法定多数收据的透明陈述，条目: \(list)
              huijin-verify statement entry-N.statement.cbor --genesis FILE

            """
    }

    // MARK: Keys

    /// DER of a SubjectPublicKeyInfo up to the key: RFC 8410 §4 for Ed25519; id-ecPublicKey on the curve of SM2
    /// (1.2.156.10197.1.301, GB/T 35276) otherwise.
    private static func derPrefix(_ suite: Suite) -> [UInt8] {
        switch suite {
        case .ed25519SHA256:
            [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]
        case .sm2SM3:
            [
                0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06,
                0x08, 0x2A, 0x81, 0x1C, 0xCF, 0x55, 0x01, 0x82, 0x2D, 0x03, 0x42, 0x00,
            ]
        }
    }

    /// RFC 7468 §13: base 64 in lines of 64.
    private static func pem(_ key: PublicKey) -> String {
        let der = derPrefix(key.suite) + key.bytes
        let text = Array(Base64.encode(der).utf8)
        var lines: [String] = []
        for start in stride(from: 0, to: text.count, by: 64) {
            lines.append(
                String(decoding: text[start..<min(start + 64, text.count)], as: UTF8.self))
        }
        return "-----BEGIN PUBLIC KEY-----\n\(lines.joined(separator: "\n"))\n"
            + "-----END PUBLIC KEY-----\n"
    }
}
