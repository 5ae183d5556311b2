import ArgumentParser
import Files
import Glibc

/// A program whose command line ArgumentParser reads: what all of them do before and after their commands.
public protocol Program: AsyncParsableCommand {
    /// Tells of what reading the command line or a command threw, and ends the program.
    static func end(with error: any Error) -> Never
}

extension Program {
    public static func main() async {
        StandardStreams.holdClosed()
        do {
            do throws(RawArguments.Problem) {
                try RawArguments.check()
            } catch {
                throw ValidationError("\(error.english) / \(error.chinese)")
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
        if let chinese = chineseUsage(for: error) { complain("错误：\(chinese)\n") }
        exit(withError: error)
    }

    /// What is wrong with the command line; nil where nothing is, or where the error says it in both languages.
    public static func chineseUsage(for error: any Error) -> String? {
        guard exitCode(for: error) == .validationFailure else { return nil }
        return UsageText.chinese(message(for: error))
    }

    /// Says why on standard error, and ends with that code.
    public static func fail(_ message: String, _ code: ExitCode) throws -> Never {
        complain("\(_commandName): \(message)\n")
        throw code
    }

    private static func complain(_ text: String) {
        // Where there is no standard error there is nobody to tell.
        _ = WholeFile.write(Array(text.utf8), to: STDERR_FILENO)
    }

    /// Without one the library shows help and reports success, which a script takes for an answer.
    private static func requireSubcommand(of command: any ParsableCommand.Type) throws {
        let subcommands = command.configuration.subcommands
        guard !subcommands.isEmpty else { return }
        let names = subcommands.map { $0._commandName }.joined(separator: ", ")
        let name =
            command == Self.self ? _commandName : "\(_commandName) \(command._commandName)"
        throw ValidationError(
            "\(name) needs a subcommand: \(names) / \(name) 须给出子命令：\(names)")
    }
}
