import Ledger
import SiteConfiguration

/// The program's own words, in both languages side by side.
extension MailTemplates {
    static func ownText(_ step: ReminderStep, _ recipient: ReminderRecipient, _ language: Site.Language) -> String {
        let texts = texts(step, isBorrower: recipient == .borrower)
        return language == .chinese ? texts.chinese : texts.english
    }

    private static func texts(_ step: ReminderStep, isBorrower: Bool) -> (english: String, chinese: String) {
        switch (step, isBorrower) {
        case (.dueSoon, true):
            (
                """
                Subject: Due {due}: {summary}

                Hello {recipient},

                please bring back by {due}:

                {items}

                Loan {loan}, {site}.
                """,
                """
                Subject: 请于 {due} 前归还：{summary}

                {recipient}，您好：

                您借用的以下物品请于 {due} 前归还：

                {items}

                借用单 {loan}，{site}。
                """
            )
        case (.dueToday, true):
            (
                """
                Subject: Due today: {summary}

                Hello {recipient},

                these are due today, {due}:

                {items}

                Loan {loan}, {site}.
                """,
                """
                Subject: 今日到期：{summary}

                {recipient}，您好：

                您借用的以下物品今日到期，应还时间为 {due}：

                {items}

                借用单 {loan}，{site}。
                """
            )
        case (_, true):
            (
                """
                Subject: Overdue: {summary}

                Hello {recipient},

                these should have been back by {due}; please bring them back now:

                {items}

                Loan {loan}, {step}, {site}.
                """,
                """
                Subject: 已逾期：{summary}

                {recipient}，您好：

                您借用的以下物品应于 {due} 前归还，现已逾期，请尽快归还：

                {items}

                借用单 {loan}（{step}），{site}。
                """
            )
        case (.dueSoon, false), (.dueToday, false):
            (
                """
                Subject: {borrower}: {summary}, due {due}

                Hello {recipient},

                {borrower} has these, due {due}:

                {items}

                Loan {loan}, {site}.
                """,
                """
                Subject: {borrower} 借用的 {summary} 将于 {due} 到期

                {recipient}您好：

                {borrower} 借用的以下物品应于 {due} 前归还：

                {items}

                借用单 {loan}，{site}。
                """
            )
        case (_, false):
            (
                """
                Subject: {borrower}: {summary}, overdue since {due}

                Hello {recipient},

                {borrower} has not brought back what was due {due}:

                {items}

                Loan {loan}, {step}, {site}.
                """,
                """
                Subject: {borrower} 借用的 {summary} 已逾期

                {recipient}您好：

                {borrower} 借用的以下物品应于 {due} 前归还，至今未还：

                {items}

                借用单 {loan}（{step}），{site}。
                """
            )
        }
    }

    /// Behind every mail.
    static func footer(gateway: String, _ language: Site.Language) -> String {
        language == .chinese
            ? "-- \n本邮件由 Stockgate 网关 \(gateway) 自动发出，请勿回复。"
            : "-- \nSent by the Stockgate gateway \(gateway). Nobody reads answers."
    }

    /// To a storekeeper in the place of somebody who cannot be reached.
    static func note(unreachable: ReminderRecipient, _ language: Site.Language) -> String {
        switch (unreachable, language) {
        case (.supervisor, .english): "No mail address of the borrower's supervisor is known: please tell them."
        case (_, .english): "No mail address of the borrower is known: please tell them."
        case (.supervisor, .chinese): "系统中没有借用人主管的邮件地址，请代为通知。"
        case (_, .chinese): "系统中没有借用人的邮件地址，请代为通知。"
        }
    }

    /// How somebody is addressed whose name nobody knows.
    static func words(_ recipient: ReminderRecipient, _ language: Site.Language) -> String {
        switch recipient {
        case .borrower: language == .chinese ? "借用人" : "borrower"
        case .supervisor: language == .chinese ? "主管" : "supervisor"
        case .storekeeper: language == .chinese ? "库管员" : "storekeeper"
        }
    }

    static func words(_ step: ReminderStep, _ language: Site.Language) -> String {
        switch step {
        case .dueSoon: language == .chinese ? "即将到期" : "due soon"
        case .dueToday: language == .chinese ? "今日到期" : "due today"
        case .overdueFirst: language == .chinese ? "第一次催还" : "first reminder"
        case .overdueSecond: language == .chinese ? "第二次催还" : "second reminder"
        case .overdueThird: language == .chinese ? "第三次催还" : "third reminder"
        }
    }

    static func summary(first: String, more: Int, _ language: Site.Language) -> String {
        guard more > 0 else { return first }
        return language == .chinese ? "\(first)等 \(more + 1) 件" : "\(first) and \(more) more"
    }
}
