"""Which capitals are said as a word and which letter by letter, and spellings that hide several words."""

# Said as words although a dictionary of words may lack them.
WORDS = frozenset(
    """AIDS AJAX APEC ARPA ASAP ASCII ASEAN BASIC BERT BIOS BLAS BRIC CAD CAPTCHA CENTCOM CENTO CERN CHIP CHIPS COBOL
    CORS COVID CRUD CUDA DACA DARPA DEFCON DOGE DOTA EBITDA EPCOT FAANG FAFSA FEMA FICA FIFA FINRA FOIA FOMO FOSS FUD
    GAAP GAN GATT GIF GIS GNOME GNU GRUB HIPAA HUD IKEA IMAX INTERPOL ISIS JCPOA JPEG JSON JUCO LAMP LAN LASER LEGO
    LIDAR LIFO LLAMA LORA MAGA MEDICAID MIDI MOMA MOOC NAFTA NANOG NASA NASCAR NASDAQ NATO NERSC NIMBY NIST NOAA NORAD
    OASIS OCAML OLAP OPEC OPSEC OSHA OSINT PAC PAX PEM PEPFAR PIN POSIX POTUS RADAR RAFT RAG RAID RAM REIT REM REPL
    REST RICO ROM SAAS SALT SARS SAT SCADA SCOTUS SCRUM SCUBA SEAL SIM SLAM SNAP SNCC SOAP SONAR SPA SPAC START STEM
    SWAT SWIFT TASER TED TEDX TOEFL UNESCO UNICEF UNRWA VIM VISTA WAN WASM YAML YOLO ZIP""".split()
)
# Said letter by letter although they spell words.
LETTERS = frozenset(
    """EST PST EDT PDT CST MST GMT UTC AI AM API AR AWS CD CEO CI CIA CIO COO CPU CTO DB DC DIY DM DMV DNA DNC DOD DOE DOJ EA EP EPA ER EU FAQ FDA GI
    GM GOP GPT GPU HP HR IC ID IO IP IPO IQ IRS ISO IT LA LED LLM LP MC MD MIT ML MP NBA NFL NHS NPC NY NYC ORM OS OT
    PC PM POC PR PS QA QR RFC RN ROI SEC SHA SOS TV UI UK UN URL US USA USB UX VC VIP VM VP WHO""".split()
)
# Said letter by letter in lower case too.
LOWER_LETTERS = frozenset(
    """ai api apis asd asmr atm atms aws bbc bbq bmw bmx bpm btw cbd cbt cd cdc cds ceo ceos cfo cia cms cnn cpu cpus
    crm css csv ddos diy dj dm dms dmv dna dns dslr dvd dvds dvr edm eeg ekg eta etf faq faqs fbi fda fps fyi gdp gdpr
    gpa gps gpt gpu gpus hbo hd hdmi hgtv hiv hoa hp hr html http https hvac ibm ide id idk imdb imf ios ip iq irs isp
    jfk jpg js kfc kgb lcd lgbt lgbtq llc llm llms lmao mba mbti mcu md mlb mls mma mmo mmorpg mpg mri mtv mvp nba nbc
    nfc nfl nft nfts nhl nhs nlp npm npr nra nsa nsfw nyc nypd ocd ost pbs pc pcs pdf pdfs phd php pms pov ppt pr pst
    pto ptsd pvc pvp qa qb qr rfc rgb rpg rpgs rsvp rv rx sdk sdks seo sf sms smtp sql ssd ssds ssh ssl svg tbh tcp
    tgi tlc tldr tls tv tvs ucla ufc ufo ufos ui uk uri url urls usa usb usc usd usps utc uv ux vc vcr vhs vip vm vms
    voip vp vpn vpns vps vr wtf wwe www xml""".split()
)
# Spellings with words of their own.
SPELLED = {
    "OK": "OKAY",
    "O.K.": "OKAY",
    "ok": "OKAY",
    "Ok": "OKAY",
    "k": "K",
    "WIFI": "WIFI",
    "Wi-Fi": "WIFI",
    "wi-fi": "WIFI",
    "WiFi": "WIFI",
    "e-mail": "EMAIL",
    "E-mail": "EMAIL",
    "e-mails": "EMAILS",
    "to-day": "TODAY",
    "To-day": "TODAY",
    "to-morrow": "TOMORROW",
    "to-night": "TONIGHT",
    "on-line": "ONLINE",
    "C++": "C PLUS PLUS",
    "C#": "C SHARP",
    "F#": "F SHARP",
    "A+": "A PLUS",
    "PhD": "P H D",
    "Ph.D": "P H D",
    "PhDs": "P H D'S",
    "iOS": "I O S",
    "macOS": "MAC O S",
    "tvOS": "T V O S",
    "MySQL": "MY S Q L",
    "NoSQL": "NO S Q L",
    "SQLite": "S Q LITE",
    "PostgreSQL": "POSTGRES Q L",
    "GraphQL": "GRAPH Q L",
    "ChatGPT": "CHAT G P T",
    "OpenAI": "OPEN A I",
    "OAuth": "O AUTH",
    "eBay": "EBAY",
    "IoT": "I O T",
    "DevOps": "DEV OPS",
    "kubectl": "KUBE CONTROL",
    "JSX": "J S X",
    "pls": "PLEASE",
    "plz": "PLEASE",
    "u": "YOU",
    "ur": "YOUR",
    "thx": "THANKS",
    "w/": "WITH",
    "w/o": "WITHOUT",
    "b/c": "BECAUSE",
    "'cause": "'CAUSE",
    "K8s": "KUBERNETES",
    "k8s": "KUBERNETES",
}
# Apostrophes that people leave out when they type.
TYPED = {
    **{"dont": "DON'T", "cant": "CAN'T", "wont": "WON'T", "im": "I'M", "ive": "I'VE", "youre": "YOU'RE", "thats": "THAT'S"},
    **{"whats": "WHAT'S", "didnt": "DIDN'T", "doesnt": "DOESN'T", "isnt": "ISN'T", "wasnt": "WASN'T", "couldnt": "COULDN'T"},
    **{"wouldnt": "WOULDN'T", "shouldnt": "SHOULDN'T", "havent": "HAVEN'T", "hasnt": "HASN'T", "arent": "AREN'T"},
    **{"theyre": "THEY'RE", "theres": "THERE'S", "hes": "HE'S", "shes": "SHE'S", "youve": "YOU'VE", "youll": "YOU'LL"},
    **{"werent": "WEREN'T", "hadnt": "HADN'T", "weve": "WE'VE", "theyve": "THEY'VE", "itll": "IT'LL", "wheres": "WHERE'S"},
    **{"hows": "HOW'S", "aint": "AIN'T", "yall": "Y'ALL"},
}
# Words that stand in capitals for emphasis.
EMPHATIC = frozenset(
    """A I AM AN AND ANY ARE AS AT BAD BE BIG BUT BY CAN DAY DID DO EVER FOR GET GO GOT HAD HAS HE HER HIM HIS HOW IF IN IS IT ITS JUST
    LET MAY ME MY NEW NO NOR NOT NOW OF OFF OH ON ONE OR OUR OUT OWN SAY SEE SHE SO THE TO TOO TOP TWO UP WAS WAY WE WHY YES YET YOU""".split()
)
