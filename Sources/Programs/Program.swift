import ArgumentParser
import Files
import Glibc

/// A program whose command line ArgumentParser reads: what all of them do before and after their commands.
public protocol Program: AsyncParsableCommand {
    /// Tells of what reading the command line or a command threw, and ends the program.
    static func end(with error: any Error) -> Never
}

/// A command line that the library would let pass.
public struct UsageProblem: Error, Equatable, Sendable {
    public let english: String
    public let chinese: String

    /// No such error of the library has a Chinese text, so the type of these is not ArgumentParser's `ValidationError`.
    public init(_ english: String, _ chinese: String) {
        self.english = english
        self.chinese = chinese
    }
}

extension Program {
    public static func main() async {
        StandardStreams.holdClosed()
        do {
            do throws(RawArguments.Problem) {
                try RawArguments.check()
            } catch {
                throw UsageProblem(error.english, error.chinese)
            }
            var command = try parseAsRoot()
            try requireSubcommand(of: type(of: command))
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            end(with: error)
        }
    }

    /// Both languages on standard error, and the library's exit code.
    public static func end(with error: any Error) -> Never {
        if let problem = error as? UsageProblem {
            complain("Error: \(problem.english)\n错误：\(problem.chinese)\n")
            exit(withError: ExitCode.validationFailure)
        }
        if let chinese = chineseUsage(for: error) { complain("错误：\(chinese)\n") }
        exit(withError: error)
    }

    /// What is wrong with the command line; nil where nothing is, or where the error says it in both languages.
    public static func chineseUsage(for error: any Error) -> String? {
        guard exitCode(for: error) == .validationFailure else { return nil }
        return UsageText.chinese(message(for: error))
    }

    private static func complain(_ text: String) {
        // There is nowhere else to say that it cannot be said.
        _ = WholeFile.write(Array(text.utf8), to: STDERR_FILENO)
    }

    /// Without one the library shows help and reports success, which a script takes for an answer.
    private static func requireSubcommand(
        of command: any ParsableCommand.Type
    ) throws(UsageProblem) {
        let subcommands = command.configuration.subcommands
        guard !subcommands.isEmpty else { return }
        let names = subcommands.map { $0._commandName }.joined(separator: ", ")
        let name =
            command == Self.self ? _commandName : "\(_commandName) \(command._commandName)"
        throw UsageProblem(
            "\(name) needs a subcommand: \(names); see \(name) --help",
            "\(name) 须给出子命令：\(names)；见 \(name) --help")
    }
}
