import Encoding
import Foundation
import Glibc
import LedgerCrypto
import Storage

/// The file beside a voting key that says which store it votes from (`VoteBinding`).
///
/// Written whole under another name, synced, renamed, and the folder synced: a crash leaves the file as it was or as it is
/// to be.
struct BindingFolder: Sendable {
    private let folder: String
    private let path: String

    /// - Parameter folder: of the key's file. Each key has a binding of its own, so that a key that takes another's place as
    ///   a file does not find the other's.
    init(folder: String, key: KeyID) {
        self.folder = folder
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
        let new = path + ".new"
        let file = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw problem() }
        let bytes = Array(binding.text.utf8)
        // So few bytes are written at once or not at all.
        let isWritten = Glibc.write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
        let failure = isWritten ? nil : problem()
        close(file)
        if let failure { throw failure }
        guard rename(new, path) == 0 else { throw problem() }
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw problem() }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw problem() }
    }

    private func problem() -> VoteBar {
        .fileNotWritten("\(path): \(String(cString: strerror(errno)))")
    }
}
