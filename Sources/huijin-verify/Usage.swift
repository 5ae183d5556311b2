import LightClient

extension Arguments {
    private static let questionForms = AskedQuestion.Kind.allCases
        .map { "                       \($0.form)" }.joined(separator: "\n")

    static let usage = """
        usage: huijin-verify --genesis FILE --bundle FILE [--json] [--expect 'QUESTION'…]
                   [--trust FILE] [--checkpoint FILE --accept DIGEST] [--checkpoint-out FILE] [--html FILE] [--prov FILE]
                   [--witnessed NOTE --witness KEY…] [--note-out FILE]
               huijin-verify fork FILE --genesis FILE [--json] [--trust FILE | --checkpoint FILE --accept DIGEST]
               huijin-verify receipts FILE --genesis FILE --out FOLDER [--expect 'QUESTION'…]
               huijin-verify statement FILE --genesis FILE [--json] [--trust FILE | --checkpoint FILE --accept DIGEST]
               huijin-verify split FILE --genesis FILE --question N… --out FILE
               huijin-verify merge FILE FILE… --genesis FILE --out FILE
               huijin-verify redact FILE --genesis FILE [--envelope DIGEST…] [--record KEY…] --out FILE
               huijin-verify detach FILE --genesis FILE --out FILE
               (receipts, split, merge, redact and detach take --trust FILE or --checkpoint FILE --accept DIGEST as well)
        用法：huijin-verify --genesis 创世文件 --bundle 证据包 [--json] [--expect '问题'…]
                  [--trust 信任文件] [--checkpoint 检查点文件 --accept 摘要] [--checkpoint-out 文件] [--html 文件] [--prov 文件]
                  [--witnessed 检查点文本 --witness 核验密钥…] [--note-out 文件]
              huijin-verify fork 分叉证据 --genesis 创世文件 [--json] [--trust 信任文件 | --checkpoint 检查点文件 --accept 摘要]
              huijin-verify receipts 证据包 --genesis 创世文件 --out 文件夹 [--expect '问题'…]
              huijin-verify statement 透明陈述 --genesis 创世文件 [--json] [--trust 信任文件 | --checkpoint 检查点文件 --accept 摘要]
              huijin-verify split 证据包 --genesis 创世文件 --question 序号… --out 文件
              huijin-verify merge 证据包 证据包… --genesis 创世文件 --out 文件
              huijin-verify redact 证据包 --genesis 创世文件 [--envelope 摘要…] [--record 键…] --out 文件
              huijin-verify detach 证据包 --genesis 创世文件 --out 文件
              （receipts、split、merge、redact、detach 亦可用 --trust 信任文件，或 --checkpoint 检查点文件 --accept 摘要）

        Decides offline, from the given files alone, whether the bundle's answers hold.
        仅凭所给文件，离线判定证据包的结论是否成立。

          --genesis FILE     the ledger's genesis file / 账本的创世文件
          --bundle FILE      the evidence bundle / 证据包
          --expect QUESTION  refuse a bundle that does not answer this: the words of huijin audit as one argument, repeatable.
                             A bundle brings its own questions; say which one you mean
                             须回答该问题，否则不予采信：huijin audit 的写法，整体作为一个参数，可重复。
                             证据包自带问题，请指明所问为何
        \(questionForms)
          --asset ID         the same as --expect 'asset ID' / 同 --expect 'asset ID'
          --transaction ID   the same as --expect 'transaction ID' / 同 --expect 'transaction ID'
          --json             one JSON object instead of text / 输出一个 JSON 对象
          --trust FILE       what was trusted before; made if there is none, and brought up to date by a proven bundle; the
                             other commands only read it, and it must be there. A bundle of another certified history becomes fork evidence in
                             FILE.fork-…: as long as that is there, nothing is proven with FILE (exit code 3). If keys of an epoch
                             that ended a day ago or longer certified it, the evidence is FILE.old-fork-… and stops nobody
                             此前已信任的内容；没有则新建，经已证明的证据包更新，其他子命令只读且须已存在。另一份经认证历史的证据包
                             将成为分叉证据，写入“信任文件.fork-…”：该证据仍在时，不以该信任文件作任何证明（退出码 3）。
                             若其由一日以前已结束之届的密钥所认证，则写入“信任文件.old-fork-…”，不影响后续证明
          --checkpoint FILE  trust starts at this header instead of the genesis / 以该区块头而非创世为信任起点
          --accept DIGEST    the digest of that header, known from somebody whom you believe / 从可信来源得知的该区块头摘要
          --checkpoint-out FILE  write the proven bundle's header and validators as such a checkpoint file; not of
                             a header below the newest trusted one that nothing links with it
                             将已证明的区块头及其记账节点写成检查点文件
          --witnessed NOTE   a checkpoint of this ledger (c2sp.org/tlog-checkpoint) that witnesses cosigned: the report says up to where
                             they saw the same log. Another log of the same size: two histories (exit code 3)
                             经见证方副署的本账本检查点；报告载明其所见同一日志的范围。大小相同而内容不同即为两份历史（退出码 3）
          --witness KEY      whom you mean, by the verifier key that he publishes (name+hash+key, cosignature/v1); repeatable, each must
                             have cosigned. No validator is a witness
                             所指的见证方，即其公布的核验密钥（名称+标识+密钥，cosignature/v1）；可重复，各方均须已副署。
                             记账节点不是见证方
          --note-out FILE    write the checkpoint of the proven header's log, for witnesses to cosign; with --trust or --checkpoint only
                             where the bundle shows that it is of one history with what was trusted before: otherwise nothing is
                             written and nothing more is trusted
                             写出已证明区块头之日志的检查点文本，供见证方副署；使用 --trust 或 --checkpoint 时，须证明与此前所信任者
                             同属一份历史，否则不写出文件，亦不增加信任
          --html FILE        the report as a page to print, also of a refused bundle; nothing is overwritten
                             将报告写成可打印的网页，被拒的证据包亦可；不覆盖已有文件
          --prov FILE        the proven histories as W3C PROV-JSON / 将已证明的历史写成 W3C PROV-JSON
          --help             this text / 显示本说明

        fork: whether a file proves that two quorums certified two histories, and who signed both.
        fork：判定该文件是否证明两个法定多数认证了两份历史，以及谁在两边签名。

        receipts: a proven bundle's entries as COSE Receipts (RFC 9942), which tools of others check: for each
        entry its leaf, for each signer of each entry a receipt, for each signer its key, and the log root; for each
        transaction that was signed by itself a transparent statement (RFC 9943) with all its receipts.
        receipts：将已证明的证据包逐条导出为 COSE 收据（RFC 9942），供第三方工具核验：每个条目的叶子、
        每个签名的记账节点的收据及其公钥，以及日志根；单独签名的交易另附含全部收据的透明陈述（RFC 9943）。

        statement: whether a transparent statement from anywhere has the receipts of a quorum of validators, and so was
        recorded. Whether it was accepted or refused only a bundle proves.
        statement：判定透明陈述是否附有法定多数记账节点的收据，即是否已被记录；是否被接受须以证据包证明。

          --out FOLDER       where they go, all or none: a new folder, or an empty one / 输出文件夹，须为新建或空文件夹；全部写出或均不写出

        split: some of a bundle's questions (--question, counted from 0 as in the report) with the parts alone that they need.
        merge: bundles of one ledger and one height as one. redact: the same answers with envelopes (by the digest of the entry)
        and state records (by their key) withheld. detach: the same answers for readers who trust the header already (--trust,
        --checkpoint): without it, its certificate and the ends of epochs; merged with a bundle that has them it is whole again.
        What comes out is verified before it is written; nothing is overwritten.
        split：取出证据包中的部分问题（--question，序号同报告，自 0 起）及其所需内容。merge：合并同一账本、同一高度的证据包。
        redact：不披露所列信封（条目摘要）与状态记录（状态键），结论不变。detach：供已信任该区块头者（--trust、--checkpoint）
        使用，略去区块头、终局证书与各届末区块头；与含有它们的证据包合并即复原。结果经核验后方写出，不覆盖已有文件。

        exit codes / 退出码
          0   proven; of a fork file: the fork is proven. What is proven may be a no (no such record, a licence not live, a role
              not held): read the answer / 已证明；对分叉证据：分叉已证明。所证明的也可能是否定的结论（无此记录、许可当时无效、
              当时不任该角色），请查看结论
          1   proven false: damaged or tampered with / 证明为假：已损坏或被篡改
          2   not proven, or cannot be trusted yet; or proven, but --note-out or --checkpoint-out asked for what is not of one history
              with what was trusted / 未获证明，或暂不可信；或已证明，但所要求写出者未证明与此前所信任者同属一份历史
          3   two histories: the bundle contradicts what is trusted or what a witness saw, or fork evidence lies beside the trust file
              两份历史：证据包与已信任的历史或见证方所见相矛盾，或信任文件旁存有分叉证据
          64  wrong usage / 用法错误
          66  a file cannot be read, or is not what it should be / 文件无法读取，或不是所需的文件
          73  a file or the output cannot be written, or another program uses the trust file
              文件或输出无法写入，或信任文件正被另一程序使用

        """
}
