"""The stable codes of everything a user is told about an object, each with one paragraph.

``PR1xx`` whose the object is, ``PR2xx`` kinds that collide and pins, ``PR3xx`` what Helm will not apply or what is
taken out, ``PR4xx`` what leaves the chart, ``PR5xx`` what a failed run, a hook or a later run would do, ``PR6xx`` what
Argo CD does, ``PR9xx`` what could not be told. A code is never given a second meaning.
"""

from __future__ import annotations

from postrender._record import Record


class Code(Record):
    """A code, what it is called in one line, and the paragraph that explains it."""

    code: str
    title: str
    text: str


_ALL = (
    Code(
        "PR101",
        "the object belongs to a release that is alive",
        "The live object carries the ownership metadata of another release, and that release is still stored in the "
        "cluster. Taking the object would leave two releases that both believe they own it: whichever is upgraded "
        "last wins, and uninstalling either deletes it. It is never taken, whatever the flags. Rename the object in "
        "this chart, or remove it from the other release first: mark it `helm.sh/resource-policy: keep` there, "
        "upgrade, take it out of that chart, upgrade again.",
    ),
    Code(
        "PR102",
        "the object was kept by a release that is gone",
        "The live object names an owner release of which nothing is stored any more: `helm uninstall` left the object "
        "because of `helm.sh/resource-policy: keep`. Helm reads only the live object's own label and annotations, and "
        "they name somebody else, so it refuses. With `--adopt orphans` postrender writes the one label and two "
        "annotations that Helm's check reads, guarded by the object's resourceVersion, and Helm then adopts it.",
    ),
    Code(
        "PR103",
        "the object is live and nobody's",
        "The live object carries no complete ownership metadata: somebody else made it (kubectl, an operator, another "
        "tool). Helm refuses to import it. Find out who made it and whether that somebody will go on changing it; "
        "with `--adopt unmanaged` postrender writes the one label and two annotations that Helm's check reads.",
    ),
    Code(
        "PR104",
        "ownership metadata is written to the live object",
        "You allowed it with `--adopt`: one label and two annotations are set on the live object, guarded by its "
        "resourceVersion, in a real install or upgrade only. Nothing else of the object changes.",
    ),
    Code(
        "PR105",
        "Helm takes the object because of --take-ownership",
        "You gave Helm's own `--take-ownership`, and the object's owner is gone or it never had one.",
    ),
    Code(
        "PR106",
        "the object is being deleted",
        "The live object has a deletion timestamp and only waits for its finalizers. Helm does not look: it would "
        "report success for an object that vanishes a moment later. If the whole namespace is being deleted, Helm "
        "fails: `unable to create new content in namespace ... because it is being terminated`. Wait until the object "
        "is gone and run Helm again.",
    ),
    Code(
        "PR107",
        "the object is the release's own and kept",
        "An earlier run of this release made the object and `helm uninstall` left it. Helm adopts it: its label and "
        "annotations name this release already.",
    ),
    Code(
        "PR201",
        "several groups have this Kind under this name",
        "Two or more documents of the stream share Kind, namespace and name and differ in the API group only. Helm up "
        "to 3.17.0 cannot tell them apart. The label says which is which: to people, to selectors and to patch "
        "targets.",
    ),
    Code(
        "PR202",
        "pinned to the live resourceVersion",
        "This Helm compares the document with the live object of its namesake in another group, so that its patch "
        "would carry `resourceVersion: null` and fail with `must be specified for an update`. With the live "
        "resourceVersion in the document the patch is a valid, optimistically locked update; it was simulated, and "
        "the object afterwards is what the chart wants.",
    ),
    Code(
        "PR203",
        "the stored resourceVersion is carried on",
        "The release's stored manifest holds a resourceVersion, from an earlier pin or an exported object. A document "
        "without one would make this Helm send `resourceVersion: null`, which the API server refuses. The value "
        "emitted keeps the field out of the patch or valid in it.",
    ),
    Code(
        "PR204",
        "this Helm cannot patch the object",
        "Simulating what this Helm sends shows that the API server will refuse the patch, or that the object would "
        "not be what the chart says afterwards, and no rewriting of the manifest mends it.",
    ),
    Code(
        "PR205",
        "compared with its namesake, fields would be left behind",
        "This Helm takes two kinds of one name for the same object and compares the document with the manifest stored "
        "for its namesake in another group. Fields that are equal there are silently not applied, or fields that were "
        "only there are removed. Helm 3.17.1 and later compare the right ones; `--force` (3.11 and later) replaces; "
        "`--on-drift apply`, where it is advised, sets the live object right first.",
    ),
    Code(
        "PR206",
        "the stream has one object more than once",
        "Two documents name the same object. Where it is live, Helm patches it once for each of them, so that the last "
        "one stays: that is a warning. Where it is new, a client-side install fails at the second (`already exists`), "
        "a server-side one applies both at once and leaves to chance which stays, and before Helm 3.22.0 and 4.2.0 an "
        "update ends there (`not found`) half way through the chart, as a later one does client-side for a custom "
        "resource (`must be specified for an update`): that is refused. So it is where the release holds a manifest "
        "that Helm takes for it: the next document is compared with that one, and not with what the first made. Take "
        "all but one out of the chart.",
    ),
    Code(
        "PR207",
        "the object has both a name and a generateName",
        "Helm 4.1.3 and later refuse to create an object that has both: `metadata.name and metadata.generateName "
        "cannot both be set`. Older Helms use the name. Remove `metadata.generateName` from the chart.",
    ),
    Code(
        "PR301",
        "adopted as it is; the next upgrade applies the differences",
        "Where an object is adopted, this Helm compares the chart's document with itself, so that its patch is empty "
        "(custom resources) or cannot remove what left the chart. It would report success, the object would stay as "
        "it is, and the release would store a manifest that is not true; later upgrades compare stored with new and "
        "never mend it. So the document emitted says what is live: the object is as untouched as before, the stored "
        "manifest is true, and the next `helm upgrade` with the same chart and values sends exactly the differences, "
        "removals included. With `--on-drift fail` the run is refused instead.",
    ),
    Code(
        "PR302",
        "left out, because the live object would not carry it",
        "Helm will not patch this object, so a label or ownership metadata in its document would be stored as if it "
        "were live. What is stored and not true is never mended by later upgrades; it is left out this time and "
        "comes with the next upgrade.",
    ),
    Code(
        "PR303",
        "server-set fields are taken out",
        "The document looks like an exported object: it carries fields that only the API server sets. Helm 3 would "
        "store them and send them in later patches; Helm 4 fails with `the object has been modified`.",
    ),
    Code(
        "PR304",
        "the object that adoption meets cannot be applied server-side by this Helm",
        "Helm 4.0.0 sends the live object's managedFields back when it adopts, and the API server refuses: "
        "`metadata.managedFields must be nil`. Helm 4.0.1 mends it; `--server-side=false` avoids it.",
    ),
    Code(
        "PR305",
        "the live resource policy will not be the chart's",
        "This Helm will not patch the object now, and it cannot later: the stored manifest must say what the chart "
        "says about `helm.sh/resource-policy`, because an uninstall goes by it. An upgrade that takes the object out "
        "of the chart goes by the live annotation instead, and deletes what is not annotated `keep`, spelled exactly "
        "so. Annotate the live object yourself.",
    ),
    Code(
        "PR306",
        "fields that the chart sets belong to another field manager",
        "Helm 4 applies server-side, and the API server remembers who set each field (`metadata.managedFields`). "
        "Somebody else set these ones to something else than the chart says, so that Helm would stop with `conflict "
        "occurred while applying`. The server was asked beforehand, as a dry run; nothing was changed. Look who it is: "
        "an operator or autoscaler will set them again, and the chart should then leave them out; otherwise "
        "`--force-conflicts` takes them for the chart.",
    ),
    Code(
        "PR307",
        "the API server would refuse what this Helm sends",
        "The very patch or object that this Helm will send was sent to the API server as a dry run, and refused: an "
        "immutable field (a selector, a roleRef, volumeClaimTemplates), an invalid value, an admission policy. Helm "
        "would fail half way through the chart. No flag mends it: change the chart, or delete the object yourself "
        "where it may be made anew. New objects are asked about where others of the chart are live already, which such "
        "a run would leave half done, and where nothing that they rest on comes with the same run (their definition, "
        "their namespace); what an admission says of a new object is a note only, since the chart may bring first what "
        "it asks for.",
    ),
    Code(
        "PR308",
        "the API server drops fields of the chart",
        "A dry run of what Helm will apply shows that some fields of the chart will not be there afterwards, or be "
        "null: the schema of the kind does not know them, an admission takes them out, or a map whose entries all "
        "leave the chart becomes null where the chart says `{}` (server-side apply does that). Helm reports success.",
    ),
    Code(
        "PR309",
        "the live object is brought to what the chart says before Helm runs",
        "You allowed it with `--on-drift apply`: this Helm would report success and not apply these fields, so "
        "postrender sends the exact difference itself, removals included, as field manager `helm` and guarded by the "
        "object's resourceVersion, in a real install or upgrade only, after the server took all of it as a dry run. "
        "Helm then finds the object as the chart has it, and what the release stores is true. Where Helm fails later "
        "on, these objects stay as the chart says.",
    ),
    Code(
        "PR310",
        "what the release stored is not what is live",
        "Helm patches a custom resource with the difference between what the release stored and what the chart says "
        "now, and never looks at the live object; of a built-in kind it takes out only what was stored. An install "
        "that adopted the object without postrender stored what it had not applied, or left behind what the chart had "
        "no longer, so that no later upgrade mends it. Only fields count that the chart names and that Helm "
        "itself set last, or that are missing: what somebody else changed since (an autoscaler, an operator, kubectl) "
        "is left to them. What is live is stored now, which changes nothing, and the next `helm upgrade` sends exactly "
        "the differences, removals included; `--on-drift apply` sends them now. What the server would not have anyway "
        "does not count: it is asked as a dry run, and PR308 names it.",
    ),
    Code(
        "PR311",
        "a rewriting that is true for one moment only was asked for where it would stay",
        "A pin names the live resourceVersion, and a stored-live document says what is live right now. Both are "
        "right for the run of Helm that they are made for. A patch in Git stays, and would be wrong with the next "
        "change of the object: the pin would fail every later run, the stored values would undo it. So patches for "
        "Flux and lists of KRM functions never hold them. A newer Helm needs neither (3.17.1 no pin, 3.18 with "
        "ownership taken no stored values, 4 neither when it applies server-side), drift detection sets right what "
        "Helm left unapplied, and one run of Helm by hand with the filter, the HelmRelease suspended, brings the "
        "object to where no later run needs it.",
    ),
    Code(
        "PR312",
        "what Helm set client-side and the chart has no longer would stay",
        "Server-side apply takes out what the same manager applied before and applies no longer. These fields were set "
        "by Helm itself with plain writes (4.0.0 creates so what is new in an upgrade or beside adopted objects), and "
        "this Helm will not make them its own first, since the release says that it was applied server-side. It would "
        "report success and leave them. With `--server-side=false` for this one upgrade Helm compares with the stored "
        "manifest and takes them out.",
    ),
    Code(
        "PR313",
        "fields that left the chart are never removed",
        "The live object holds fields that an older chart set and this one does not. Helm's patches remove a field "
        "only if the stored manifest names it, and simulating the next `helm upgrade` shows that its patch would not "
        "remove these. A server-side apply removes a key of a Secret only if it stood in `data`: the API server stores "
        "`stringData` in `data` too, but records only `stringData` as Helm's. With `--on-drift apply` postrender "
        "removes these fields from the live object before Helm runs, guarded by its resourceVersion.",
    ),
    Code(
        "PR314",
        "fields that left the chart could not be checked",
        "Helm's field manager owns the API server's defaults as well as what the chart set. To tell them apart "
        "postrender asks the API server to create the chart's object under an unused name, as a dry run. If that is "
        "not allowed or not possible, fields that an older chart set may stay live without notice. Allow `create` for "
        "this resource and plan again, or compare the live object with the chart by hand.",
    ),
    Code(
        "PR315",
        "fields that left the chart are removed",
        "Before Helm 4 applies server-side for the first time, it makes the fields its own that an earlier Helm set "
        "client-side. The apply then removes those that the chart does not set: a field, an entry of a list, a key. "
        "A field with a default goes back to it, such as `replicas` to 1. A field that another field manager set too "
        "stays. If you want to keep a value, set it in the chart.",
    ),
    Code(
        "PR316",
        "ownership metadata written without a look-up",
        "With `--stamp all` every document gets the ownership metadata of the release. If no cluster is asked "
        "(`--offline`, `helm template`), postrender cannot know whether the object exists, nor which release owns it. "
        "Helm itself still asks before it adopts. kubectl, kustomize, kpt, Argo CD and Pulumi do not: they overwrite "
        "the metadata of an object that another release owns, and that release loses it. So name a cluster "
        "(`--kube-context`) or a file that stands for it (`--live`); or write metadata only for objects that are to "
        "be adopted (`--stamp adopt`, the default).",
    ),
    Code(
        "PR317",
        "fields of other field managers stay",
        "Server-side apply removes only fields that Helm itself applied before. Fields that the chart lacks and that "
        "another field manager set, such as kubectl, an operator or Helm under another name, stay on the object. The "
        "finding names each field with its managers, and the command that removes them. Run that command after Helm if "
        "nobody needs these fields.",
    ),
    Code(
        "PR318",
        "fields differ from a fresh installation",
        "To see what a fresh installation gives, postrender asks the API server to apply the chart's object under an "
        "unused name, as a dry run. These fields of the live object differ from it, the chart does not set them, and "
        "no field manager owns them. Examples are a default that depends on another field, and a key that `stringData` "
        "wrote into `data`. No upgrade changes them. Run the command of the finding after Helm. With `--on-drift fail` "
        "the run is refused.",
    ),
    Code(
        "PR319",
        "null written as the server's value",
        "In a map of texts or quantities the API server makes an empty text, or 0, of a null: a new ConfigMap with "
        '`data: {a: null}` has `a: ""`. Helm\'s client-side patch of an existing object removes the key instead. So '
        "postrender writes the server's value into the manifest, and the object becomes what a new one would be. To "
        "have the key removed, leave it out of the chart.",
    ),
    Code(
        "PR401",
        "leaves the chart and is left behind",
        "Helm up to 3.17.0 compares Kind, name and namespace when it looks for what an upgrade shall delete. A "
        "namesake in another group is still in the chart, so the object stays, with this release's ownership metadata "
        "and in no stored manifest. Delete it yourself, or use Helm 3.17.1 or later.",
    ),
    Code(
        "PR402",
        "would be updated under its new group or version, and then deleted under the old one",
        "The stored manifest and the chart name one and the same live object through two groups (both see the same "
        "uid) or, to Helm 4.0.0 to 4.1.0, two versions. Helm takes them for two objects, updates the one and deletes "
        "the other, which is the same: it is gone, and Helm reports success. Annotate the live object with "
        "`helm.sh/resource-policy: keep` for this upgrade, or use a Helm that does not.",
    ),
    Code(
        "PR403",
        "meant to be kept, and an upgrade would delete it",
        "An uninstall trims and lower-cases the resource policy, an upgrade compares it exactly: `Keep` survives an "
        "uninstall and not an upgrade that takes the object out of the chart. Annotate the live object `keep`.",
    ),
    Code(
        "PR404",
        "would be deleted, though another release owns it now",
        "The object leaves this chart, and its live ownership metadata names another release that still exists, which "
        "took it over. Helm deletes what leaves a chart without looking whose it is. Annotate the live object with "
        "`helm.sh/resource-policy: keep` for this upgrade.",
    ),
    Code(
        "PR405",
        "leaves the chart",
        "The stored manifest holds the object and the chart has it no longer: Helm deletes it, or keeps it where the "
        "live object is annotated `helm.sh/resource-policy: keep`.",
    ),
    Code(
        "PR501",
        "an adopted object is deleted with the release that adopts it, or when the run fails",
        "The object was there before this release took it. `helm uninstall` deletes whatever the stored manifest "
        "holds without a resource policy, and so does a failed install with `--atomic` or `--rollback-on-failure`, "
        "which uninstalls; a failed upgrade with that flag rolls back and deletes what the revision before does not "
        "hold, unless the live object is annotated exactly `keep`. With such a flag the run is refused, without it "
        "you are warned. Annotate the object in the chart with `helm.sh/resource-policy: keep`.",
    ),
    Code(
        "PR502",
        "a hook would delete the object that is live under its name",
        "Helm deletes what is live under the name of a hook before it runs the hook (`before-hook-creation`, the "
        "default delete policy), and does not look whose it is. What is live is no leftover of the hook: it carries "
        "no `helm.sh/hook`. Rename the hook, or the object. Helm 3 shows hooks to no post-renderer, so that only "
        "`postrender plan` and `postrender lint` see this there.",
    ),
    Code(
        "PR503",
        "a rollback past this upgrade will stop at the object",
        "The object leaves the chart and is kept, so that it is live and in no stored manifest from now on. A "
        "rollback to a revision that holds it fails half way: up to Helm 3.21 and 4.1 for every object (`no X with the "
        "name ... found`, `original object ... not found`), from Helm 3.22 and 4.2 client-side for a custom resource "
        "(`metadata.resourceVersion: ... must be specified for an update`). Run `helm upgrade` with the older chart "
        "instead: an upgrade adopts it.",
    ),
    Code(
        "PR504",
        "kept by its live annotation alone",
        "The live object is annotated `helm.sh/resource-policy: keep`, the stored manifest and the chart are not. An "
        "upgrade that takes the object out of the chart goes by the live annotation, `helm uninstall` by the stored "
        "manifest: it deletes the object. Annotate it in the chart.",
    ),
    Code(
        "PR505",
        "values of an adopted Secret change",
        "The Secret was there before this release, and the chart has other values for some of its keys. Charts that "
        "make passwords with `randAlphaNum` make new ones when the Secret is adopted, because `lookup` or a stored "
        "value was not used, and whoever still uses the old ones is locked out: a database keeps the password it was "
        "made with. Give the chart the values that are live.",
    ),
    Code(
        "PR506",
        "created client-side by an upgrade that applies server-side",
        "Helm 4.0.0 creates what is new in an upgrade by a plain POST, so that the API server takes its fields for "
        "client-side ones. The next upgrade applies the same fields server-side and conflicts with them, as if "
        "somebody else had set them. Helm 4.0.1 mends it; `--force-conflicts` gets the next upgrade through.",
    ),
    Code(
        "PR507",
        "Helm skips the object: unknown hook event",
        "The annotation `helm.sh/hook` names an event that Helm does not know. Helm then neither runs the object as a "
        "hook nor installs it, even if other events in the annotation are known, and only logs `skipping unknown "
        "hook`. Upper and lower case do not matter. Helm 3 shows hooks to no post-renderer, so that only Helm 4 and "
        "plans of whole charts warn of it.",
    ),
    Code(
        "PR601",
        "Argo CD takes the object over",
        "Argo CD knows an object by group, kind, namespace and name, and asks nobody whose it is: it applies what the "
        "chart says, and from then on the object is its Application's. Helm's ownership metadata plays no part. What "
        "is live and not in the chart stays, whether it applies client-side or server-side, since it takes away only "
        "what it applied itself.",
    ),
    Code(
        "PR602",
        "`keep` does not keep Argo CD from pruning",
        "Argo CD honours `helm.sh/resource-policy: keep` where an Application is deleted with its resources. It does "
        "not where the object leaves the chart and the Application prunes: that is stopped by the sync option "
        "`Prune=false` alone (annotation `argocd.argoproj.io/sync-options`), which `--prune-false`, or the parameter "
        "of that name, adds to every object that the chart keeps.",
    ),
    Code(
        "PR603",
        "a Helm release of the same name still holds the object",
        "The Application's release name and namespace are those of a Helm release that is still stored. Two would "
        "manage the object: a `helm upgrade` sets back what Argo CD applied, and `helm uninstall` deletes it. Where "
        "Argo CD is to go on alone, delete the release's stored revisions (Secrets of type helm.sh/release.v1), which "
        "leaves its objects alone.",
    ),
    Code(
        "PR604",
        "another Application tracks the object",
        "The live object carries the tracking annotation of another Argo CD Application. Argo CD reports a "
        "SharedResourceWarning and applies all the same; the two Applications then set it to and fro. Take it out of "
        "one of them.",
    ),
    Code(
        "PR901",
        "the version of Helm is not known, and it matters here",
        "Helm's versions differ in what they would do to these objects, and which Helm will read the output could not "
        "be told.",
    ),
)

CODES: dict[str, Code] = {code.code: code for code in _ALL}
