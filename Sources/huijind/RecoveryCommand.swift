import ArgumentParser
import Encoding
import Files
import Foundation
import Ledger
import LedgerCrypto
import Node
import Programs
import Replica
import Storage

/// Beginning an epoch when a quorum of validators is lost (docs/operations.md).
struct RecoveryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recovery",
        abstract: "Go on when a quorum of validators is lost for good / 法定多数永久丢失后的恢复",
        discussion: """
            1. status, on every node that is left, stopped: the highest basis (epoch, then view) has all that was acknowledged.
            2. make, on that node: a file with the next seats. 3. check, on every other one. 4. sign, by so many recovery keys as the
            genesis demands. 5. run --recovery FILE, on every node that is left; new nodes follow from them.
            1. 在每个留存节点（已停止）执行 status，基准最高者（先比届、再比视图）包含全部已确认数据。2. 在该节点执行 make。
            3. 在其余各节点执行 check。4. 由创世文件所要求数量的恢复密钥执行 sign。5. 各留存节点以 run --recovery FILE 启动。
            """,
        subcommands: [Status.self, Make.self, Check.self, Sign.self, Show.self])

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What this stopped node could go on from / 本节点可由何处恢复")

        @OptionGroup var options: ConfigurationOptions
        @Option(
            help: ArgumentHelp(
                "Write the present seats there, to edit / 将现有席位写入该文件以供编辑", valueName: "seats.json"))
        var seatsOut: String?

        func run() throws {
            let node = try open(options)
            let basis = node.basis
            print("final height / 终局高度: \(basis.finalHeight)")
            print("basis / 基准: epoch \(basis.epoch), view \(basis.view)")
            print("basis height / 基准高度: \(basis.height)")
            print("basis header / 基准区块头: \(basis.header)")
            for (index, seat) in basis.validators.validators.enumerated() {
                print("seat \(index) / 席位: \(seat.member) \(seat.votingKey.keyID)")
            }
            guard let seatsOut else { return }
            let text = try RecoveryFile.text(of: basis.validators.validators)
            try write([UInt8](text.utf8), to: seatsOut)
        }
    }

    struct Make: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a recovery that goes on from this stopped node / 由本节点生成恢复文件")

        @OptionGroup var options: ConfigurationOptions
        @Option(help: ArgumentHelp("The next epoch's seats / 下一届席位", valueName: "seats.json"))
        var seats: String
        @Option(help: "An enrolled member, who writes the seats down / 记录席位的成员编号") var member:
            String
        @Option(help: ArgumentHelp("That member's key file / 该成员的密钥文件", valueName: "file"))
        var memberKey: String
        @Option(
            help: ArgumentHelp(
                "Its passphrase's file; the node's passphrase when absent / 其口令文件，缺省同节点口令",
                valueName: "file"))
        var memberPassphraseFile: String?
        @Option(help: ArgumentHelp("A new file / 新文件", valueName: "file")) var out: String

        func run() throws {
            guard let id = MemberID(member) else {
                throw ValidationError(
                    "--member must be a member id, not \(member) / --member 应为成员编号")
            }
            try configured {
                let configuration = try options.read()
                let seats = try RecoveryFile.seats(seats, suite: configuration.genesis.suite)
                let key = try RecoveryFile.key(
                    memberKey,
                    passphrase: try Passphrase.read(
                        file: memberPassphraseFile ?? options.passphraseFile))
                var node = try StoppedNode(configuration)
                let recovery = try node.makeRecovery(seats: seats, by: id, with: key)
                try write(recovery.encoded, to: out)
                describe(recovery, configuration.genesis)
                guard recovery.next.validators != seats else { return }
                print(
                    "not these seats, but those that the validators had agreed on: their set may need a recovery of its own / "
                        + "非所给席位，而是原记账节点已商定的席位；该届或需另行恢复")
            }
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Whether this stopped node would take a recovery, signed or not yet / 本节点（已停止）是否会采用该恢复，无论是否已签名"
        )

        @Argument(help: "The recovery / 恢复文件") var file: String
        @OptionGroup var options: ConfigurationOptions

        func run() throws {
            try configured {
                let configuration = try options.read()
                let recovery = try RecoveryFile.read(file, genesis: configuration.genesis)
                var node = try StoppedNode(configuration)
                switch try node.refusal(of: recovery) {
                case nil: print("taken here / 可采用")
                case .notCertified(let signatures, let threshold):
                    print(
                        "taken here once it has \(threshold) signatures, all valid; \(signatures) are in it, see show / "
                            + "有 \(threshold) 个签名且全部有效后可采用，现有 \(signatures) 个，见 show")
                // Nothing to be mended in the file.
                case .behind(let finalHeight, let firstHeight):
                    print(
                        "not taken here, and nothing is wrong with it: this node ends at \(finalHeight), before the file begins at \(firstHeight), and gets the blocks from those who take it / "
                            + "本节点不采用，但文件无误：本节点止于 \(finalHeight)，文件自 \(firstHeight) 起，其余区块将由采用者同步"
                    )
                case let refusal?: throw refusal
                }
            }
        }
    }

    struct Sign: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sign a recovery with one of the genesis' recovery keys / 用恢复密钥签名")

        @Argument(help: "The recovery; it is replaced by the signed one / 恢复文件，签名后覆盖原文件") var file:
            String
        @Option(help: "The ledger's genesis.cbor / 创世文件") var genesis: String
        @Option(help: ArgumentHelp("The recovery key's file / 恢复密钥文件", valueName: "file"))
        var key: String
        @Option(help: ArgumentHelp("Its passphrase's file / 其口令文件", valueName: "file"))
        var passphraseFile: String?

        func run() throws {
            let signed: Recovery = try configured {
                let genesis = try RecoveryFile.genesis(genesis)
                let recovery = try RecoveryFile.read(file, genesis: genesis)
                guard let rule = genesis.recovery else { throw RecoveryRefusal.noRule }
                let key = try RecoveryFile.key(
                    key, passphrase: try Passphrase.read(file: passphraseFile))
                guard let index = rule.keys.firstIndex(of: key.publicKey) else {
                    throw ConfigurationError(
                        file: self.key, problem: "it is none of the genesis' recovery keys",
                        problemZh: "不是创世文件所列恢复密钥", remedy: "name one that was made for recoveries",
                        remedyZh: "请指定为恢复而生成的密钥")
                }
                let signature = RecoveryRule.sign(
                    recovery.certificate.statement, at: index, with: key, chain: genesis.chain)
                guard let signed = recovery.adding(signature, under: rule) else {
                    preconditionFailure("a signature changes nothing else")
                }
                describe(signed, genesis)
                return signed
            }
            do throws(WholeFile.Problem) {
                try WholeFile.replace(file, signed.encoded)
            } catch {
                try Huijind.fail("\(file): \(error.english) / \(error.chinese)", Exit.inputOutput)
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What a recovery would do, and who signed it / 查看恢复文件内容与签名")

        @Argument(help: "The recovery / 恢复文件") var file: String
        @Option(help: "The ledger's genesis.cbor / 创世文件") var genesis: String

        func run() throws {
            try configured {
                let genesis = try RecoveryFile.genesis(genesis)
                describe(try RecoveryFile.read(file, genesis: genesis), genesis)
            }
        }
    }
}

private func open(_ options: ConfigurationOptions) throws -> StoppedNode {
    try configured { try StoppedNode(try options.read()) }
}

/// Ends the process with the code of what went wrong.
private func configured<Value>(_ body: () throws -> Value) throws -> Value {
    do {
        return try body()
    } catch let error as StorageError {
        try Huijind.fail(error.description, error.isDiskFull ? Exit.diskFull : Exit.inputOutput)
    } catch let error as ConfigurationError {
        try Huijind.fail(error.description, Exit.configuration)
    } catch let error as RecoveryRefusal {
        try Huijind.fail(error.description, Exit.configuration)
    }
}

private func write(_ bytes: [UInt8], to path: String) throws {
    do throws(WholeFile.Problem) {
        try WholeFile.create(path, bytes)
    } catch {
        try Huijind.fail("\(path): \(error.english) / \(error.chinese)", Exit.inputOutput)
    }
}

/// What the holders of recovery keys look at before they sign.
private func describe(_ recovery: Recovery, _ genesis: Genesis) {
    let header = recovery.last.header
    let statement = recovery.certificate.statement
    print("network / 网络: \(genesis.name)")
    print("chain / 链: \(genesis.chain)")
    print("ends epoch / 结束届: \(header.epoch)")
    print("at height / 于高度: \(header.height)")
    print("time / 时间: \(header.timeMs)")
    print("header / 区块头: \(header.digest(genesis.suite))")
    print("blocks made final / 随之终局的区块: \(recovery.blocks.count)")
    print("basis view / 基准视图: \(recovery.basisView)")
    for (index, seat) in recovery.next.validators.enumerated() {
        print("next seat \(index) / 下届席位: \(seat.member) \(seat.votingKey.keyID)")
    }
    guard let rule = genesis.recovery else {
        return print("the genesis has no recovery rule / 创世文件没有恢复规则")
    }
    for signature in recovery.certificate.signatures {
        let isValid = rule.isValid(signature, of: statement, chain: genesis.chain)
        let key =
            rule.keys.indices.contains(signature.validator)
            ? "\(rule.keys[signature.validator].keyID)" : "?"
        print(
            "signature of recovery key \(signature.validator) / 恢复密钥签名: \(key) "
                + (isValid ? "valid / 有效" : "NOT VALID / 无效"))
    }
    print("needed / 所需签名: \(rule.threshold) of \(rule.keys.count)")
}
