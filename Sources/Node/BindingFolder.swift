import Encoding
import Files
import Foundation
import LedgerCrypto
import Storage

/// The file beside a voting key that says which store it votes from (`VoteBinding`).
///
/// A crash leaves the file as it was or as it is to be (`WholeFile`).
struct BindingFolder: Sendable {
    private let path: String

    /// - Parameter folder: of the key's file. Each key has a binding of its own, so that a key that takes another's place as
    ///   a file does not find the other's.
    init(folder: String, key: KeyID) {
        path = "\(folder)/voting-\(Hex.encode(key.bytes)).binding"
    }

    func read() -> BindingFile {
        guard FileManager.default.fileExists(atPath: path) else { return .none }
        guard let handle = FileHandle(forReadingAtPath: path) else { return .unreadable }
        defer { try? handle.close() }
        guard let data = try? handle.read(upToCount: VoteBinding.textBytesMax + 1),
            let text = String(data: data, encoding: .utf8), let binding = VoteBinding(text: text)
        else { return .unreadable }
        return .binding(binding)
    }

    func write(_ binding: VoteBinding) throws(VoteBar) {
        do throws(WholeFile.Problem) {
            try WholeFile.replace(path, Array(binding.text.utf8), mode: 0o600)
        } catch {
            throw .fileNotWritten("\(path): \(error.reason.english)")
        }
    }
}
