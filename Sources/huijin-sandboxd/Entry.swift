import Foundation
import Sandbox

@main
enum Entry {
    static func main() async {
        // The worker is this program again, inside bubblewrap: it needs no command line, and no threads.
        if CommandLine.arguments.dropFirst() == ["worker"] { exit(WorkerProgram.main()) }
        await HuijinSandboxd.main()
    }
}
