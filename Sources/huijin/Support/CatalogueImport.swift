import Client
import Encoding
import Foundation
import Interchange
import Ledger
import LedgerCrypto
import Market
import Records

/// Registers the records of a catalogue file as assets, in batches under one signature each.
///
/// An asset's id follows from provider and code, so a record that is registered already is found before anything is
/// sent and skipped: running an import again adds nothing and leaves no refusal on the ledger.
struct CatalogueImport {
    let client: HuijinClient
    let folder: MemberFolder?

    static let fileBytesMax = 268_435_456
    /// Records that are looked up, signed as one batch and sent before the next ones.
    static let batch = LedgerLimits.batchSizes.upperBound
    /// Of these, how many are sent in one request.
    static let perRequest = 50
    /// Questions whether a record is there that are open at the same time.
    static let lookupsMax = 8

    struct Report {
        var read = 0
        var registered = 0
        var skipped = 0
        var failed: [(line: Int, reason: String)] = []

        var json: JSONValue {
            [
                "read": .unsigned(UInt64(read)), "registered": .unsigned(UInt64(registered)),
                "skipped": .unsigned(UInt64(skipped)),
                "failed": .list(
                    failed.sorted { $0.line < $1.line }.map {
                        ["line": .unsigned(UInt64($0.line)), "reason": .text($0.reason)]
                    }),
            ]
        }
    }

    func run(file: String, limit: Int?) async throws -> Report {
        guard let provider = client.identity?.member else { throw ClientError.noIdentity }
        let bytes = try SetupFile.read(file, bytesMax: CatalogueImport.fileBytesMax)
        var report = Report()
        var entries: [CatalogueEntry] = []
        for result in CatalogueReader.read(all: bytes).prefix(limit ?? .max) {
            report.read += 1
            switch result {
            case .success(let entry): entries.append(entry)
            case .failure(let problem):
                let reason = "\(problem.english) / \(problem.chinese)"
                report.failed.append((problem.line, reason))
                Output.progress("\(problem)")
            }
        }
        var done = 0
        while done < entries.count {
            let batch = Array(entries[done..<min(done + CatalogueImport.batch, entries.count)])
            let known = try await registered(batch, by: provider)
            report.skipped += known.count
            done += known.count
            try await register(batch.filter { !known.contains($0.code) }, into: &report) { count in
                done += count
                Output.progress("\(done)/\(entries.count)")
            }
        }
        return report
    }

    /// The codes of those that are on the ledger already, proven.
    private func registered(
        _ entries: [CatalogueEntry], by provider: MemberID
    ) async throws -> Set<String> {
        var known: Set<String> = []
        for start in stride(from: 0, to: entries.count, by: CatalogueImport.lookupsMax) {
            let part = entries[start..<min(start + CatalogueImport.lookupsMax, entries.count)]
            try await withThrowingTaskGroup(of: String?.self) { group in
                for entry in part {
                    let id = AssetRecord.id(
                        provider: provider, code: entry.code, suite: client.suite)
                    let (client, code) = (client, entry.code)
                    group.addTask { try await client.asset(id).value == nil ? nil : code }
                }
                for try await code in group where code != nil {
                    if let code { known.insert(code) }
                }
            }
        }
        return known
    }

    /// - Parameter advance: told how many of the entries are done with, each time that some are.
    private func register(
        _ entries: [CatalogueEntry], into report: inout Report, advance: (Int) -> Void
    ) async throws {
        var good: [(entry: CatalogueEntry, body: AssetRegister)] = []
        for entry in entries {
            let body = try body(entry)
            do {
                try body.checked()
                good.append((entry, body))
            } catch let failure as Failure {
                report.failed.append((entry.line, "\(failure.english) / \(failure.chinese)"))
                Output.progress("line \(entry.line): \(failure.english) / \(failure.chinese)")
            }
        }
        advance(entries.count - good.count)
        guard !good.isEmpty else { return }
        let height = try await client.status()["height"]?.unsigned ?? 0
        let envelopes = try client.sign(good.map(\.body), atHeight: height)
        for start in stride(from: 0, to: good.count, by: CatalogueImport.perRequest) {
            let part = start..<min(start + CatalogueImport.perRequest, good.count)
            let answers = try await client.post(envelopes[part].map(\.bytes))
            for (item, answer) in zip(good[part], answers) {
                note(answer, of: item.entry, in: &report)
            }
            advance(part.count)
        }
    }

    private func note(
        _ answer: SubmissionAnswer, of entry: CatalogueEntry, in report: inout Report
    ) {
        if answer.isAccepted {
            report.registered += 1
        } else {
            let reason =
                answer.status == .received
                ? "not final yet; import again later, what is registered is passed over / 尚未终局，请稍后重新导入，已登记的会跳过"
                : "\(answer.code.messageEn) (\(answer.code.name)) / \(answer.code.messageZh)"
            report.failed.append((entry.line, reason))
            Output.progress("line \(entry.line): \(reason)")
        }
    }

    private func body(_ entry: CatalogueEntry) throws -> AssetRegister {
        let description = Array("\(entry.descriptionZh)\n\(entry.descriptionEn)".utf8)
        return AssetRegister(
            code: entry.code, titleZh: entry.titleZh, titleEn: entry.titleEn,
            keywords: Arguments.set(entry.keywords), columns: [], rowCount: 0,
            dataCommitment: try Arguments.commit(
                entry.bytes, label: "catalogue record \(entry.code)", folder: folder,
                suite: client.suite),
            descriptionCommitment: try Arguments.commit(
                description, label: "description of \(entry.code)", folder: folder,
                suite: client.suite),
            source: entry.source, sourceURL: entry.sourceURL, ownerClass: entry.ownerClass,
            level: .raw, grade: .general, rights: [.holding])
    }
}
