//! The words a realistic community is made of.

/// How a part of the world writes its names. Each part of a name stands beside its ASCII spelling,
/// which handles are made of.
#[derive(Clone, Copy)]
pub(super) struct Culture {
    pub(super) given: &'static [(&'static str, &'static str)],
    pub(super) family: &'static [(&'static str, &'static str)],
    pub(super) order: Order,
    pub(super) places: &'static [&'static str],
}

#[derive(Clone, Copy)]
pub(super) enum Order {
    GivenFirst,
    /// And nothing between the two.
    FamilyFirst,
}

pub(super) const CULTURES: &[Culture] = &[
    Culture {
        given: &[("Grace", "grace"), ("Liam", "liam"), ("Nora", "nora"), ("Samuel", "sam")],
        family: &[("Okafor", "okafor"), ("Whitfield", "whitfield"), ("O’Brien", "obrien")],
        order: Order::GivenFirst,
        places: &["Leeds, UK", "Portland, OR", "Remote"],
    },
    Culture {
        given: &[("José", "jose"), ("Íñigo", "inigo"), ("Lucía", "lucia"), ("Camila", "camila")],
        family: &[("Muñoz", "munoz"), ("García Pérez", "garciaperez"), ("Núñez", "nunez")],
        order: Order::GivenFirst,
        places: &["Bogotá", "Valparaíso, Chile", "Sevilla"],
    },
    Culture {
        given: &[("João", "joao"), ("Inês", "ines"), ("Thaís", "thais")],
        family: &[("Gonçalves", "goncalves"), ("Araújo", "araujo"), ("da Conceição", "dac")],
        order: Order::GivenFirst,
        places: &["São Paulo", "Porto"],
    },
    Culture {
        given: &[("Jürgen", "juergen"), ("Zoë", "zoe"), ("Bjørn", "bjorn"), ("Åsa", "asa")],
        family: &[("Müller-Weiß", "muellerweiss"), ("Sørensen", "sorensen"), ("Öst", "oest")],
        order: Order::GivenFirst,
        places: &["Köln", "Århus", "Malmö 🇸🇪"],
    },
    Culture {
        given: &[("Łukasz", "lukasz"), ("Žofie", "zofie"), ("Čestmír", "cestmir")],
        family: &[("Wiśniewska", "wisniewska"), ("Dvořák", "dvorak"), ("Şimşek", "simsek")],
        order: Order::GivenFirst,
        places: &["Łódź", "Brno", "İzmir"],
    },
    Culture {
        given: &[("Олена", "olena"), ("Димитър", "dimitar"), ("Софія", "sofiia")],
        family: &[("Шевченко", "shevchenko"), ("Ґаламаґа", "galamaga"), ("Иванова", "ivanova")],
        order: Order::GivenFirst,
        places: &["Київ", "Пловдив"],
    },
    Culture {
        given: &[("Ελένη", "eleni"), ("Νίκος", "nikos")],
        family: &[("Παπαδοπούλου", "papadopoulou"), ("Ξενάκης", "xenakis")],
        order: Order::GivenFirst,
        places: &["Θεσσαλονίκη"],
    },
    Culture {
        given: &[("ليلى", "layla"), ("عمر", "omar"), ("נועה", "noa")],
        family: &[("الخوري", "elkhoury"), ("بن علي", "benali"), ("לוי", "levi")],
        order: Order::GivenFirst,
        places: &["بيروت", "Tunis", "חיפה"],
    },
    Culture {
        given: &[("अनन्या", "ananya"), ("Arjun", "arjun"), ("தமிழ்", "tamizh")],
        family: &[("शर्मा", "sharma"), ("Iyer", "iyer"), ("সেন", "sen")],
        order: Order::GivenFirst,
        places: &["बेंगलुरु", "Kolkata", "Chennai"],
    },
    Culture {
        given: &[("さくら", "sakura"), ("健太", "kenta"), ("小雨", "xiaoyu"), ("지훈", "jihun")],
        family: &[("渡辺", "watanabe"), ("歐陽", "ouyang"), ("김", "kim")],
        order: Order::FamilyFirst,
        places: &["東京", "臺北", "서울"],
    },
    Culture {
        given: &[("Thị Hồng", "hong"), ("Đức", "duc"), ("Adaeze", "adaeze"), ("Kwame", "kwame")],
        family: &[("Nguyễn", "nguyen"), ("Ọláníyan", "olaniyan"), ("Mensah", "mensah")],
        order: Order::GivenFirst,
        places: &["Đà Nẵng", "Lagos", "Accra"],
    },
];

pub(super) const ORGANIZATIONS: &[(&str, &str)] = &[
    ("brightloom", "Brightloom"),
    ("kestrel-data", "Kestrel Data"),
    ("nonohana", "Nonohana 野の花"),
    ("tiny_rockets", "Tiny Rockets 🚀"),
    ("atelier-nord", "Atelier Nord & Söner"),
    ("openharbor", "Open Harbor"),
];

pub(super) const TAGS: &[&str] = &[
    "rust",
    "javascript",
    "webdev",
    "beginners",
    "discuss",
    "postgres",
    "devops",
    "career",
    "opensource",
    "testing",
    "python",
    "showdev",
];

pub(super) const SUMMARIES: &[&str] = &[
    "Backend by day, sourdough by night 🍞",
    "She/her. I break queues so that you don’t have to.",
    "Ich schreibe über Datenbanken & Fahrräder.",
    "フロントエンドと猫。",
    "Ingénieure. <3 Postgres",
    "Learning in public since 2016",
];

pub(super) const TITLE_BEGINNINGS: &[&str] = &[
    "How we moved",
    "What nobody tells you about",
    "A gentle introduction to",
    "I rewrote",
    "Stop fearing",
    "Debugging",
    "Ten months with",
    "Pourquoi nous aimons",
    "Das Ende von",
    "Notes on",
    "Building",
    "Undoing",
];

pub(super) const TITLE_SUBJECTS: &[&str] = &[
    "webhooks",
    "our Postgres queue",
    "rate limits",
    "async Rust",
    "CSS grid",
    "“boring” tech",
    "feature flags",
    "CI in 90 seconds",
    "idempotency keys",
    "the N+1 query",
    "Unicode & you 🦄",
    "a monorepo",
    "pagination",
    "flaky tests",
];

pub(super) const TITLE_ENDINGS: &[&str] =
    &["", "", "", " (part 2)", ": a postmortem", " in production", " – and back", "?", " 🎉"];

/// What people say, as the site renders it. `{}` is where somebody is mentioned or greeted.
pub(super) const SENTENCES: &[&str] = &[
    "Great write-up, thank you {}! 🙌",
    "We hit exactly this last year, and the fix was embarrassingly small.",
    "Have you measured it with <code>EXPLAIN (ANALYZE, BUFFERS)</code>?",
    "I’d argue the opposite: latency &lt; throughput for most of us.",
    "Could you say more about the second diagram, {}?",
    "This is the kind of post I come here for. 💜",
    "Merci {}, c’est très clair, même pour un débutant.",
    "¿Alguien lo ha probado con millones de filas? 🤔",
    "Genau so machen wir es auch – seit Jahren ohne Ärger.",
    "とても勉強になりました。ありがとうございます！",
    "Дякую! Саме це я шукав уже тиждень.",
    "شكرًا على المقال المفيد",
    "잘 읽었습니다. 예제 코드가 특히 좋네요.",
    "Small typo in the third snippet: <code>retires</code> → <code>retries</code>.",
    "There is a <a href=\"https://example.com/a?b=1&amp;c=2\" rel=\"noopener\">longer version</a> of this.",
    "<strong>Strongly</strong> agree, except for the bit about <em>exactly once</em>.",
    "My team 👩🏽‍💻👨‍💻🏳️‍🌈 disagrees with me on this daily.",
    "Bookmarked. {} owes me a coffee ☕ if this breaks.",
    "Does this hold on ARM too?",
    "Not convinced. What happens when the worker dies between the two writes?",
];

/// What follows a paragraph now and then, and is never short of trouble.
pub(super) const BLOCKS: &[&str] = &[
    "<div class=\"highlight\"><pre class=\"highlight rust\"><code>let page = fetch(cursor)?;\nif page.is_empty() { return Ok(()); }\n</code></pre></div>",
    "<blockquote>\n<p>it’s never “just” a queue</p>\n</blockquote>",
    "<ul>\n<li>claim</li>\n<li>commit</li>\n<li>let go</li>\n</ul>",
    "<p><img src=\"https://example.com/diagram.png\" alt=\"a diagram, \"quoted\"\" loading=\"lazy\"></p>",
];
