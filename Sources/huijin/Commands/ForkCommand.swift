import ArgumentParser
import Client
import Encoding
import Files
import Foundation
import LightClient

struct ForkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fork",
        abstract: "Ask nodes for the votes that name those who made a fork. / 向节点索取能指明分叉违规者的投票",
        discussion: """
            Where two quorums certified two histories in different views, nobody contradicts himself by that alone. What a quorum of
            the other history voted in the earlier view does: nodes keep it, whether they skipped the view or hold a final block of it.
            Writes the evidence with it to a new file, for huijin-verify fork. Who only notarized two blocks of one view is not found out:
            notarizations are not kept.
            两个法定多数在不同视图认证两份历史时，仅凭终局证书不能指明违规者；遵循另一历史的节点保存其在较早视图的作废或终局证书。
            本命令取得该证书，连同原证据写入新文件，供 huijin-verify fork 核验。公证证书不予保存，仅在同一视图公证两个区块者无法查明。
            """)

    @Argument(help: "Fork evidence (FILE.fork-… of watch or huijin-verify). / 分叉证据文件")
    var file: String
    @Option(help: "File to write. / 输出文件") var out: String
    @OptionGroup var start: StartOptions
    @OptionGroup var options: NodeOptions

    func run() async throws {
        guard !WholeFile.isTaken(out) else { throw SetupError.exists(out) }
        let client = try self.client()
        let evidence = try read()
        let known: ProvenFork
        do throws(EvidenceProblem) {
            known = try client.verifier.verifyFork(evidence)
        } catch {
            throw Failure(
                error.standing == .provenFalse ? .badData : .notFound,
                "\(file): \(error.english)", "\(file)：\(error.chinese)")
        }
        guard case .votes(let epoch, let view)? = known.missing else {
            throw Failure(
                .usage, "\(file): no votes of a view are missing; see huijin-verify fork",
                "\(file)：不缺任何视图的投票，详见 huijin-verify fork")
        }
        guard let (completed, proven) = try await client.completed(evidence, known) else {
            throw Failure(
                .notFound,
                "none of these nodes holds votes of epoch \(epoch), view \(view) that name anybody; ask nodes of the other history",
                "所询节点均无可指明违规者的第 \(epoch) 届视图 \(view) 投票，请询问遵循另一历史的节点")
        }
        try IdentityMaker.write(completed.encoded, to: URL(filePath: out))
        try Output.show(
            [
                "fork": .text(out),
                "doubleSigners": .list(
                    proven.doubleSigners.map { signer in
                        [
                            "epoch": .unsigned(signer.epoch),
                            "seat": .unsigned(UInt64(signer.seat)),
                            "member": .text(signer.validator.member.text),
                            "votingKey": .text(signer.validator.votingKey.keyID.hex),
                        ]
                    }),
            ], as: options.format)
    }

    /// From where the evidence begins; a trust file, beside which it may lie, is only read for that.
    private func client() throws -> HuijinClient {
        guard options.trust == nil || start.checkpoint == nil else {
            throw Failure(
                .usage, "--trust and --checkpoint are two starts; give the one of the evidence",
                "--trust 与 --checkpoint 只能择一，请指定该证据所用的起点")
        }
        let client = try options.client(signing: try options.folder() != nil, reading: false)
        let start =
            try options.trusted(of: client.genesis, TrustFile.contested) ?? start.trusted()
        return try start.map(client.trusting) ?? client
    }

    private func read() throws -> ForkEvidence {
        let bytes = try SetupFile.read(file, bytesMax: ForkEvidence.limits.bytesMax)
        do throws(CBORError) {
            return try ForkEvidence.decode(bytes, limits: ForkEvidence.limits)
        } catch {
            throw Failure(
                .badData, "\(file): it is not fork evidence (\(error.english)); check the path",
                "\(file)：不是分叉证据（\(error.chinese)），请检查路径")
        }
    }
}
