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
            Where two quorums certified two histories in different views, nobody contradicts himself by that alone. Nodes keep the
            certificates by which views were skipped; the one of the earlier view, which a node of the other history has, names them.
            Writes the evidence with it to a new file, for huijin-verify fork.
            两个法定多数在不同视图认证两份历史时，仅凭终局证书不能指明违规者；遵循另一历史的节点保存有较早视图的作废证书。
            本命令取得该证书，连同原证据写入新文件，供 huijin-verify fork 核验。
            """)

    @Argument(help: "Fork evidence (FILE.fork-… of watch or huijin-verify). / 分叉证据文件")
    var file: String
    @Option(help: "File to write. / 输出文件") var out: String
    @OptionGroup var options: NodeOptions

    func run() async throws {
        guard !WholeFile.isTaken(out) else { throw SetupError.exists(out) }
        let client = try options.client(signing: try options.folder() != nil)
        let evidence = try read()
        let completed: ForkEvidence
        let proven: ProvenFork
        do throws(EvidenceProblem) {
            (completed, proven) = try await client.completed(evidence)
        } catch {
            throw Failure(.notFound, "\(file): \(error.english)", "\(file)：\(error.chinese)")
        }
        guard completed != evidence else { throw nothingFound(proven.missing) }
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

    private func nothingFound(_ missing: MissingVotes?) -> Failure {
        guard case .nullification(let epoch, let view)? = missing else {
            return Failure(
                .notFound, "\(file): no nullification is missing; see huijin-verify fork",
                "\(file)：不缺作废证书，详见 huijin-verify fork")
        }
        return Failure(
            .notFound,
            "none of these nodes kept the nullification of epoch \(epoch), view \(view); ask nodes of the other history",
            "所询节点均未保存第 \(epoch) 届视图 \(view) 的作废证书，请询问遵循另一历史的节点")
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
