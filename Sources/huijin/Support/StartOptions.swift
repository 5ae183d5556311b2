import ArgumentParser
import Client
import LightClient

/// Where trust begins, when that is not the genesis.
struct StartOptions: ParsableArguments {
    @Option(help: "Checkpoint file to start at (huijin-verify --checkpoint-out). / 起始检查点文件")
    var checkpoint: String?
    @Option(help: "The digest of its header, from somebody whom you believe. / 所接受的区块头摘要")
    var accept: String?

    /// Nil where neither is given.
    func trusted() throws -> TrustedChain? {
        guard let checkpoint else {
            guard accept == nil else {
                throw Failure(.usage, "--accept needs --checkpoint", "--accept 须与 --checkpoint 同用")
            }
            return nil
        }
        guard let accept else {
            throw Failure(.usage, "--checkpoint needs --accept", "--checkpoint 须与 --accept 同用")
        }
        let digest = try Arguments.digest(accept, "--accept")
        let bytes = try SetupFile.read(checkpoint, bytesMax: TrustStart.fileBytesMax)
        do throws(EvidenceProblem) {
            return try TrustedChain(accepting: digest, checkpointFile: bytes)
        } catch {
            guard case .undecodable = error.fault else {
                throw Failure(
                    .badData, "\(checkpoint): \(error.english)", "\(checkpoint)：\(error.chinese)")
            }
            throw Failure(
                .badData,
                "\(checkpoint): it is not a checkpoint file of huijin-verify --checkpoint-out (\(error.english)); check the path",
                "\(checkpoint)：不是 huijin-verify --checkpoint-out 写出的检查点文件（\(error.chinese)），请检查路径")
        }
    }
}
