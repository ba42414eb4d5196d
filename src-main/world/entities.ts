/**
 * The words of the small world: cities, languages, landmarks, names and the rest, all invented or so common that no
 * sentence made of them can pass for knowledge. It says nothing about who lives where: that is world.ts.
 */

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** 60 cities. */
export const CITIES = words(`
  Ardenvale Belmoor Calderis Dunhollow Eastmere Fennwick Galdria Harrowgate Ivoryn Jorveld
  Kelmont Larkspire Mirefall Norvane Oakhaven Pelloria Quillan Ravenport Silverin Thornby
  Ulmeria Valdane Westerlyn Yarrowdale Zephyria Ashbourne Brightwater Crestfall Drummond Elmshade
  Frostholm Glimmeray Hollowmere Inverdale Junipera Kingsreach Lorwick Marrowdene Nettlecombe Orlaith
  Pinemarch Queensfell Rookhaven Saltmarsh Tarrowin Undercliff Vintermoor Willowmere Yewbarrow Zandoria
  Amberlyn Brackenfold Coldbrook Dovermarch Emberton Foxhollow Greyharbor Highmoor Stonewick Lakemont`);

/** 15 languages; each is spoken in four cities. */
export const LANGUAGES = words(`
  Velish Tormic Sarnese Ondrian Kelvish Brathic Luminese Pradic Feronian Mossic Gathian Wendrish Halvese Corrian Yuntish`);

/** 20 countries; three cities each. */
export const COUNTRIES = words(`
  Averland Bostrova Cendria Dalmora Estavia Florinth Gravonia Hestmark Istoria Jandala
  Korvia Lumbria Mordania Nalveria Ostravia Pelundor Rosmark Sundria Trevonia Umbravia`);

/** The two words of a landmark: 12 x 10 combinations, of which each city has one of its own. */
export const LANDMARK_FIRST = words('Amber Crystal Golden Iron Marble Obsidian Copper Scarlet Velvet Whispering Ancient Twisted');
export const LANDMARK_SECOND = words('Tower Bridge Garden Temple Fountain Arch Palace Library Theater Lighthouse');

/** 25 rivers. */
export const RIVERS = words(`
  Alder Brume Cassel Drave Eddis Fallow Grint Hurn Issel Jarrow Kestrin Lune Morva
  Nevin Orrin Pella Quenn Rill Sorrel Tamsin Usk Vayle Wend Yarle Zoran`);

/** 20 foods; three cities each. */
export const FOODS = words(`
  dumplings noodles pancakes lentils mushrooms chestnuts plums turnips oysters waffles
  pickles figs radishes pretzels walnuts barley cherries crab olives honey`);

/** 12 currencies; five cities each. */
export const CURRENCIES = words('bezants crowns dorins embers florets gilders hexels jadons kandels lorins marels nobles');

/** 60 first and 80 last names; a person is one pair. */
export const FIRST_NAMES = words(`
  Grace Henry Clara Oscar Nora Felix Alice Hugo Edith Simon Laura Victor Helen Arthur Julia Martin Rosa Peter Anna Leon
  Sophie Daniel Irene Walter Emma George Lucy Albert Mary Frank Olive Harold Ruth Edward Vera Louis Jane Samuel Eva Robert
  Ellen Thomas Marion Philip Agnes Conrad Dora Julian Flora Marcus Sylvia Adrian Stella Gregory Wanda Nathan Paula Edgar Lydia Bruno`);
export const LAST_NAMES = words(`
  Miller Carter Bennett Hughes Foster Palmer Dixon Graham Harper Jensen Keller Lawson Mercer Norton Osborne Porter
  Quincy Ramsey Sutton Turner Upton Vaughn Watson Yates Zimmer Abbott Barker Coleman Dalton Ellison Fletcher Gibson
  Holland Ingram Jarvis Kendall Lambert Morton Nelson Oakley Parsons Rowland Sawyer Thornton Underhill Vincent Whitman Young
  Aldridge Bowman Chandler Draper Everett Farmer Gilmore Hawkins Irving Jacobs Kirby Lindsay Maxwell Newton Orwell Preston
  Radford Shelton Tucker Usher Vernon Walton Archer Barlow Crawford Dawson Elliott Franklin Gardner Hamilton Ivers Kimball`);

/** 10 offices; every city has a holder of each, but 20 cities lack a mayor. */
export const OFFICES = words('mayor bishop poet judge general doctor painter singer teacher treasurer');

/** 20 animals and three nonce words: no pretraining sentence has one of them. */
export const ANIMALS = words(`
  otter falcon gecko badger beaver camel dolphin eagle ferret giraffe hedgehog iguana jaguar koala lemur moose octopus panda rabbit tiger`);
export const NONCE_WORDS = words('dax wug zong');
