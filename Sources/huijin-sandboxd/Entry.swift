import Foundation
import Sandbox

@main
enum Entry {
    static func main() async {
        // The worker is this program again, inside bubblewrap: it needs no command line, and no threads.
        // There is no /proc there, where the runtime would read the arguments from, so the environment says it.
        if getenv(Isolation.workerVariable) != nil
            || CommandLine.arguments.dropFirst() == ["worker"]
        {
            exit(WorkerProgram.main())
        }
        await HuijinSandboxd.main()
    }
}
