import Glibc

/// Standard input, output and error of this program.
public enum StandardStreams {
    /// Takes the numbers of those that were closed when the program began, or the next file or connection that it opens would
    /// get one, and what is printed would go there. Reading from them and writing to them fails, as before.
    public static func holdClosed() {
        // The lowest free number is taken, so they are filled in order.
        for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
        where fcntl(stream, F_GETFD) == -1 && errno == EBADF {
            // A folder that is open for reading: nothing can be read from it or written to it as a file.
            guard open("/", O_RDONLY | O_DIRECTORY) == stream else { return }
        }
    }
}
