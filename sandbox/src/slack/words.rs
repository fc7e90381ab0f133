//! What realistic people are called and say.

pub(super) const PEOPLE: &[(&str, &str)] = &[
    ("ada.okafor", "Ada Okafor"),
    ("zoe", "Zoë Müller-Weiß"),
    ("jose.munoz", "José Muñoz"),
    ("olena", "Олена Шевченко"),
    ("nikos", "Νίκος Ξενάκης"),
    ("lukasz", "Łukasz Wiśniewski"),
    ("yuki.tanaka", "田中 優希"),
    ("fatima", "فاطمة الزهراء"),
    ("liam", "Liam O’Brien"),
    ("ines", "Inês Gonçalves"),
    ("priya", "Priya Raghunathan"),
    ("chidi", "Chidi Anagonye"),
    ("sanna", "Sanna Öst"),
    ("noa", "נועה לוי"),
];

pub(super) const TITLES: &[&str] =
    &["", "Site Reliability", "Database Engineer", "Community & Docs", "Head of “Why?”"];

pub(super) const CHANNELS: &[(&str, &str)] = &[
    ("general", "Announcements for everybody"),
    ("help", "Ask anything"),
    ("random", ""),
    ("show-and-tell", "What have you built?"),
    ("plugins", "Writing and publishing plugins"),
];

pub(super) const SENTENCES: &[&str] = &[
    "Has anybody tried this with the new release?",
    "That did it, thank you {}!",
    "We saw the same on `arm64`, see <https://example.com/issues/12|the issue>.",
    "Not on my machine :shrug:",
    "{} knows more about that than I do.",
    "a &lt;b&gt; &amp; c is still escaped wrongly",
    "```\nerror: stream closed\n```",
    "Works now. It was the proxy.",
    "Shipping it 🚀",
    "Let's talk about it in <#C00000000|help>.",
    "これは面白いですね。",
    "*Please* read the docs first 🙂",
];

pub(super) const REACTIONS: &[&str] = &["+1", "tada", "eyes", "heart"];
