"""The stable codes of all findings about an object: title, severity, Helm versions, cause and fix.

``PR1xx`` ownership, ``PR2xx`` name collisions and pins, ``PR3xx`` what Helm does not apply and what is removed,
``PR4xx`` objects that leave the chart, ``PR5xx`` failed runs, hooks and later runs, ``PR6xx`` Argo CD, ``PR9xx``
unknown facts. A code never gets a second meaning.
"""

from __future__ import annotations

from postrender._record import Record


class Code(Record):
    """A finding's code. ``severity`` lists the severities it can have, the usual one first; ``cause`` and ``fix`` are
    Markdown paragraphs. ``since`` is the first version of postrender that reports it.
    """

    code: str
    title: str
    severity: tuple[str, ...]
    helms: str
    cause: str
    fix: str
    since: str = "0.1.0"

    @property
    def text(self) -> str:
        """The paragraph that ``postrender explain`` prints."""
        return f"{self.cause} {self.fix}"


_ALL = (
    Code(
        "PR101",
        "owned by another installed release",
        ("error",),
        "all",
        "The live object carries the ownership metadata of another release, and that release is still installed. If "
        "two releases own an object, the last one upgraded wins, and uninstalling either one deletes the object.",
        "No flag overrides this code. The hint's `postrender move` moves the object to this release without deleting "
        "it; remove it from the other chart then. Or rename it in this chart.",
    ),
    Code(
        "PR102",
        "owned by an uninstalled release",
        ("error",),
        "all",
        "The live object names an owner release of which no revision is stored: `helm uninstall` kept the object "
        "because of `helm.sh/resource-policy: keep`. Helm checks the label and the two annotations of the live object. "
        "They name the other release, so Helm fails with `invalid ownership metadata`.",
        "Run Helm with `--post-renderer-args=--adopt=orphans`. postrender then writes this release's name to the label "
        "and the two annotations of the live object, guarded by its resourceVersion, and Helm adopts it.",
    ),
    Code(
        "PR103",
        "existing object has no Helm owner",
        ("error",),
        "all",
        "The live object has no complete Helm ownership metadata: kubectl, an operator or another tool created it. "
        "Helm fails with `invalid ownership metadata`.",
        "Find out who created the object and whether that tool will keep changing it. Then run Helm with "
        "`--post-renderer-args=--adopt=unmanaged`: postrender writes the label and the two annotations that Helm "
        "checks.",
    ),
    Code(
        "PR104",
        "ownership metadata written to the live object",
        ("info",),
        "all",
        "`--adopt` is set, so postrender sets one label and two annotations on the live object, guarded by its "
        "resourceVersion, and only in a real install or upgrade. It changes nothing else of the object.",
        "No action is needed.",
    ),
    Code(
        "PR105",
        "Helm adopts the object because of --take-ownership",
        ("info",),
        "3.17.0 and later",
        "Helm runs with `--take-ownership`, and the object has no owner or its owner release is uninstalled.",
        "No action is needed.",
    ),
    Code(
        "PR106",
        "the object is being deleted",
        ("error", "warning"),
        "all",
        "The live object has a deletion timestamp and waits for its finalizers. Helm does not check that: it reports "
        "success for an object that disappears a moment later. If the namespace is being deleted, Helm fails: `unable "
        "to create new content in namespace ... because it is being terminated`.",
        "Wait until the object is gone, and run Helm again.",
    ),
    Code(
        "PR107",
        "kept by an earlier run of this release",
        ("info",),
        "all",
        "An earlier run of this release created the object and `helm uninstall` kept it, or Argo CD applied it with "
        "`stamp` set to `all`. Its label and annotations already name this release, so Helm adopts it.",
        "No action is needed.",
    ),
    Code(
        "PR201",
        "objects in several API groups share this name",
        ("info",),
        "3.17.0 and earlier confuse them",
        "Two or more documents have the same Kind, namespace and name and differ only in the API group. Helm 3.17.0 "
        "and earlier treat them as one object. The label `postrender/group-kind` distinguishes them for people, "
        "selectors and patch targets.",
        "Give each object its own name, or use Helm 3.17.1 or later. Omit the label with `--no-label`.",
    ),
    Code(
        "PR202",
        "live resourceVersion added to the manifest",
        ("info",),
        "3.17.0 and earlier",
        "This Helm compares the document with the live object of the same name in another API group. Its patch would "
        "contain `resourceVersion: null` and fail with `must be specified for an update`. With the live "
        "resourceVersion in the document, the patch is a valid update with optimistic locking. postrender simulated "
        "the patch: the result matches the chart.",
        "No action is needed for this run. Run `postrender unpin` before you move to Helm 3.17.1 or later.",
    ),
    Code(
        "PR203",
        "stored resourceVersion kept in the manifest",
        ("info",),
        "3.x",
        "The release's stored manifest contains a resourceVersion, from an earlier run of postrender or an exported "
        "object. Without it in the new document, Helm would send `resourceVersion: null`, and the API server would "
        "reject the patch.",
        "Run `postrender unpin` to remove it from every stored revision.",
    ),
    Code(
        "PR204",
        "this Helm cannot patch the object",
        ("error",),
        "3.17.0 and earlier",
        "A simulation of Helm's patch shows that the API server will reject it, or that the object would not match "
        "the chart. No change to the manifest prevents that.",
        "Use Helm 3.17.1 or later, or run Helm with `--force`, which replaces the objects.",
    ),
    Code(
        "PR205",
        "Helm compares with the wrong object",
        ("error", "warning"),
        "3.17.0 and earlier; later versions if a document is repeated",
        "This Helm treats two kinds with the same name as one object, and compares the document with the manifest "
        "stored for the other one. It does not apply fields that are equal there, and removes fields that only the "
        "other one has. The same happens if a release stores one object several times.",
        "Use Helm 3.17.1 or later, or run Helm with `--force` (3.11 and later), which replaces the objects. If the "
        "finding suggests `--on-drift=apply`, postrender can update the live object before Helm runs.",
    ),
    Code(
        "PR206",
        "the manifests contain an object more than once",
        ("error", "warning"),
        "all",
        "Two documents describe the same object. If it exists, Helm patches it once for each document and the last "
        "one wins: a warning. If it is new, a client-side install fails at the second document (`already exists`), a "
        "server-side install applies both at once in no fixed order, and an upgrade up to Helm 3.21, 4.0.4 and in 4.1 "
        "stops half way (`not found`): an error. It is an error too if the release stores a manifest for the object, "
        "because Helm compares the second document with that manifest and not with the result of the first one.",
        "Remove all but one of the documents from the chart.",
    ),
    Code(
        "PR207",
        "the object has both name and generateName",
        ("error",),
        "4.1.3 and later",
        "Helm 4.1.3 and later fail: `metadata.name and metadata.generateName cannot both be set`. Earlier versions "
        "use the name.",
        "Remove `metadata.generateName` from the chart.",
    ),
    Code(
        "PR301",
        "adopted unchanged; the next upgrade applies the differences",
        ("warning", "error"),
        "3.x; 4.x with --server-side=false",
        "When this Helm adopts an object, it compares the chart's document with itself. The patch is empty (custom "
        "resources) or cannot remove fields that left the chart. Helm would report success, leave the object "
        "unchanged, and store a manifest that does not match it; later upgrades compare stored and new manifests and "
        "never correct it. postrender emits the live spec instead, so the stored manifest matches the live object and "
        "the next `helm upgrade` with the same chart and values sends exactly the differences, removals included.",
        "Run `helm upgrade` with the same chart and values, or use `postrender run`, which does both. "
        "`--on-drift=apply` updates the live object before Helm runs; `--on-drift=fail` stops the run instead.",
    ),
    Code(
        "PR302",
        "metadata omitted because Helm will not apply it",
        ("info",),
        "3.x; 4.x with --server-side=false",
        "Helm will not patch this object now, so a label or ownership metadata in its document would be stored but "
        "not applied, and later upgrades would never add it. postrender omits it.",
        "No action is needed: the next upgrade adds the metadata.",
    ),
    Code(
        "PR303",
        "server-set fields removed from the manifest",
        ("info",),
        "all",
        "The document looks like an exported object: it contains fields that only the API server sets. Helm 3 would "
        "store them and send them in later patches; Helm 4 fails with `the object has been modified`.",
        "Delete these fields from the chart's template.",
    ),
    Code(
        "PR304",
        "Helm 4.0.0 cannot adopt with server-side apply",
        ("error",),
        "4.0.0",
        "Helm 4.0.0 sends the live object's managedFields when it adopts, and the API server rejects the request: "
        "`metadata.managedFields must be nil`.",
        "Use Helm 4.0.1 or later, or `--server-side=false`.",
    ),
    Code(
        "PR305",
        "live resource policy differs from the chart",
        ("warning",),
        "3.x; 4.x with --server-side=false",
        "Helm will not patch the object in this run, so its live `helm.sh/resource-policy` stays different from the "
        "chart's. `helm uninstall` reads the stored manifest, but an upgrade that removes the object from the chart "
        "reads the live annotation, and deletes the object unless the value is exactly `keep`.",
        "Annotate the live object with the command in the finding.",
    ),
    Code(
        "PR306",
        "another field manager owns fields of the chart",
        ("error",),
        "4.x with server-side apply",
        "With server-side apply the API server records who set each field (`metadata.managedFields`). Another manager "
        "set these fields to other values than the chart, so Helm would stop with `conflict occurred while applying`. "
        "A dry run showed this before anything changed.",
        "Find out who the manager is. If an operator or autoscaler sets the field, remove it from the chart. If the "
        "manager no longer sets it, move its fields to Helm with `--take-fields` of `postrender adopt`. Otherwise run "
        "Helm with `--force-conflicts`, which takes these fields once.",
    ),
    Code(
        "PR307",
        "the API server would reject Helm's request",
        ("error",),
        "all",
        "The API server rejected the patch or object that this Helm will send, in a dry run: an immutable field (a "
        "selector, a roleRef, volumeClaimTemplates), an invalid value, an admission policy. Helm would fail half way "
        "through the chart. New objects are checked too if other objects of the chart exist, unless their CRD or "
        "namespace is created in the same run. If an admission webhook rejects a new object, that is only a note, "
        "because the chart may create what the webhook requires first.",
        "Change the chart to a value that the API server accepts. To change an immutable field, the object has to be "
        "created again: the finding has the command that deletes it without its Pods and claims, if nothing is lost by "
        "that. A PersistentVolumeClaim or a Secret can hold data; keep the old value in the chart.",
    ),
    Code(
        "PR308",
        "the API server drops fields of the chart",
        ("warning",),
        "all",
        "A dry run shows that some fields of the chart will be missing or null afterwards: the schema of the kind does "
        "not define them, an admission webhook removes them, or server-side apply turns a map that lost all its "
        "entries from `{}` into null. Helm reports success.",
        "Correct the field's name or place in the chart, or update the CRD.",
    ),
    Code(
        "PR309",
        "live object updated before Helm runs",
        ("info",),
        "all",
        "`--on-drift=apply` is set: this Helm would report success without applying these fields. postrender sends "
        "exactly the difference, removals included, as field manager `helm`, guarded by the object's resourceVersion, "
        "only in a real install or upgrade and only after a dry run succeeded for all objects. If Helm fails later, "
        "these objects keep the chart's values.",
        "No action is needed.",
    ),
    Code(
        "PR310",
        "stored manifest differs from the live object",
        ("warning", "error"),
        "3.x; 4.x with --server-side=false",
        "Helm patches a custom resource with the difference between the stored and the new manifest and does not read "
        "the live object; from a built-in kind it removes only stored fields. An install that adopted the object "
        "without postrender stored values that were never applied. Only fields of the chart count that Helm set last "
        "or that are missing; changes by an autoscaler, an operator or kubectl are left alone. postrender stores the "
        "live spec now, which changes nothing. Fields that the API server drops do not count; PR308 lists them.",
        "Run `helm upgrade` with the same chart and values, which sends exactly the differences. "
        "`--on-drift=apply` sends them in this run.",
    ),
    Code(
        "PR311",
        "change depends on cluster state; not for Git",
        ("error",),
        "3.x",
        "A live resourceVersion and a stored live spec are right for one run of Helm only. A patch in Git stays: after "
        "the next change of the object, the resourceVersion would make every run fail, and the stored values would "
        "revert the change. So `postrender flux` and `postrender krm` never write them.",
        "Use a newer helm-controller: Helm 3.17.1 needs no resourceVersion, Helm 3.18 with `--take-ownership` and Helm "
        "4 need no stored live spec. Or enable drift detection. Or suspend the HelmRelease and run `helm upgrade` "
        "once with the filter.",
    ),
    Code(
        "PR312",
        "removed fields would not be deleted",
        ("error",),
        "4.x with server-side apply",
        "Server-side apply removes fields that the same manager applied before and no longer applies. Helm set these "
        "fields client-side (4.0.0 creates new objects of an upgrade that way), and this Helm does not migrate them, "
        "because the release says that it was applied server-side. Helm would report success and leave them.",
        "Run this one upgrade with `--server-side=false`: Helm then compares with the stored manifest and removes "
        "the fields.",
    ),
    Code(
        "PR313",
        "fields that left the chart are never removed",
        ("warning", "error"),
        "all",
        "The live object has fields that an older chart set and this chart does not. Helm removes a field only if the "
        "stored manifest contains it; a simulation of the next `helm upgrade` shows that it would not remove these. "
        "Server-side apply removes a key of a Secret only if it was in `data`: the API server stores `stringData` in "
        "`data`, but records only `stringData` as Helm's.",
        "Run the command in the finding, or use `--on-drift=apply`: postrender then removes the fields from the live "
        "object before Helm runs, guarded by its resourceVersion.",
    ),
    Code(
        "PR314",
        "cannot check for fields that left the chart",
        ("warning",),
        "all",
        "Helm's field manager owns the API server's defaults as well as the fields of the chart. To distinguish them, "
        "postrender asks the API server to create the chart's object under an unused name, as a dry run. That is not "
        "allowed or not possible here, so fields of an older chart may stay unnoticed.",
        "Allow `create` for this resource and plan again, or compare the live object with the chart yourself.",
    ),
    Code(
        "PR315",
        "Helm removes fields that left the chart",
        ("warning",),
        "4.x with server-side apply",
        "Before its first server-side apply, Helm 4 takes over the fields that an earlier Helm set client-side. The "
        "apply then removes those that the chart does not set: a field, a list entry, a key. A field with a default "
        "is reset to it, for example `replicas` to 1. A field that another manager set too stays.",
        "To keep a value, set it in the chart.",
    ),
    Code(
        "PR316",
        "ownership metadata written without a lookup",
        ("warning",),
        "all",
        "With `--stamp all` every document gets the release's ownership metadata. Without a cluster (`--offline`, "
        "`helm template`) postrender cannot know whether the object exists or which release owns it. Helm checks "
        "before it adopts. kubectl, kustomize, kpt, Argo CD and Pulumi overwrite the metadata, and the other release "
        "loses the object.",
        "Set `--kube-context`, or `--live` with a file that describes the cluster; or add metadata only to adopted "
        "objects (`--stamp adopt`, the default).",
    ),
    Code(
        "PR317",
        "fields of other managers stay",
        ("warning", "info"),
        "4.x with server-side apply",
        "Server-side apply removes only fields that Helm applied before. Fields that the chart lacks and that another "
        "field manager set, such as kubectl, Terraform or Helm under another name, stay on the object. The finding "
        "lists each field with its managers. What a controller, an operator or an autoscaler set is its state and is "
        "not listed.",
        "If these fields are not needed, run the first command in the finding before Helm: `--take-fields` "
        "makes them Helm's, and its apply removes them. Or run the patch in the finding after Helm.",
    ),
    Code(
        "PR318",
        "fields differ from a fresh installation",
        ("warning", "error"),
        "4.x with server-side apply",
        "postrender asks the API server to apply the chart's object under an unused name, as a dry run. These fields "
        "of the live object differ from that result, the chart does not set them, and no field manager owns them. "
        "Examples are a default that depends on another field, and a key that `stringData` wrote into `data`. No "
        "upgrade changes them.",
        "Run the command in the finding after Helm. `--on-drift=fail` stops the run instead.",
    ),
    Code(
        "PR319",
        "null replaced by the API server's value",
        ("info",),
        "3.x; 4.x with --server-side=false",
        "In a map of strings or quantities the API server turns a null into an empty string or 0: a new ConfigMap with "
        '`data: {a: null}` has `a: ""`. Helm\'s client-side patch of an existing object removes the key instead. '
        "postrender writes the API server's value into the manifest, so that the object matches a new one.",
        "To remove the key, delete it from the chart.",
    ),
    Code(
        "PR320",
        "live values are kept",
        ("info",),
        "all",
        "`--keep-live` or the annotation `postrender/keep-live` names these fields, and the object exists: the "
        "manifest that Helm gets and stores has the live values of these fields instead of the chart's. All other "
        "fields follow the chart.",
        "No action is needed. Without the flag or the annotation, the next `helm upgrade` applies the chart's values.",
    ),
    Code(
        "PR321",
        "a live value is not kept",
        ("error", "warning"),
        "all",
        "`--keep-live` or the annotation `postrender/keep-live` names a field whose live value cannot be written into "
        "the manifest: the chart does not set the field, the path leads into a list, the live value is a mapping or "
        "list and the chart's is not, or the object is a hook. It is a warning if no live object is looked up "
        "(`helm template`, a client-side dry run, manifests for Git), and if the field is live but not in the chart, "
        "so that there is nothing to replace.",
        "Correct the name of the field. To keep a field that the chart lacks, name the whole object, as in "
        "`--keep-live secrets/login`. `--allow PR321` uses the chart's values instead.",
    ),
    Code(
        "PR401",
        "left behind after it leaves the chart",
        ("warning",),
        "3.17.0 and earlier",
        "Helm 3.17.0 and earlier compare Kind, name and namespace to find the objects that an upgrade deletes. An "
        "object with the same name in another API group is still in the chart, so this one stays, with this release's "
        "ownership metadata but in no stored manifest.",
        "Delete the object with the command in the finding, or use Helm 3.17.1 or later.",
    ),
    Code(
        "PR402",
        "Helm would delete this object (apiVersion changed)",
        ("error",),
        "3.17.1 and later, 4.x (API group); 4.0.0 to 4.1.0 (version)",
        "The stored manifest and the chart name one live object through two API groups (the uid is the same) or, for "
        "Helm 4.0.0 to 4.1.0, two versions. Helm treats them as two objects: it updates one and deletes the other, "
        "and the object is gone. Helm reports success.",
        "Annotate the live object with `helm.sh/resource-policy: keep` for this upgrade. If only the version changed, "
        "use Helm 4.1.1 or later.",
    ),
    Code(
        "PR403",
        "upgrade would delete an object with misspelled `keep`",
        ("error",),
        "all",
        "`helm uninstall` trims and lower-cases the resource policy; `helm upgrade` compares it exactly. With `Keep` "
        "the object survives an uninstall, but not an upgrade that removes it from the chart. `keep, other` keeps "
        "nothing in either.",
        "Annotate the live object with `keep`.",
    ),
    Code(
        "PR404",
        "Helm would delete another release's object",
        ("error",),
        "all",
        "The object leaves this chart, and its live ownership metadata names another installed release that adopted "
        "it. An upgrade deletes objects that leave the chart without checking their owner.",
        "Annotate the live object with `helm.sh/resource-policy: keep` for this upgrade.",
    ),
    Code(
        "PR405",
        "leaves the chart",
        ("info",),
        "all",
        "The stored manifest contains the object and the chart no longer does. Helm deletes it, or keeps it if the "
        "live object is annotated `helm.sh/resource-policy: keep`.",
        "No action is needed.",
    ),
    Code(
        "PR406",
        "upgrade would delete data with an object",
        ("error", "warning"),
        "all",
        "Helm deletes objects that leave the chart, and Kubernetes deletes what depends on them: the objects of a "
        "CustomResourceDefinition, everything in a Namespace, the volume of a PersistentVolumeClaim whose reclaim "
        "policy is Delete, the claims of a StatefulSet whose retention policy says so. A password or key that the "
        "chart generated in a Secret or ConfigMap exists nowhere else.",
        "Annotate the live object with `helm.sh/resource-policy: keep` to keep it. `--allow PR406` deletes it, with "
        "a warning.",
    ),
    Code(
        "PR501",
        "adopted object is deleted on failure or uninstall",
        ("warning", "error"),
        "all",
        "The object existed before this release. `helm uninstall` deletes every stored object without a resource "
        "policy. A failed install with `--atomic` or `--rollback-on-failure` uninstalls too; a failed upgrade with "
        "that flag rolls back and deletes objects that the earlier revision lacks, unless the live object is annotated "
        "exactly `keep`. With such a flag this is an error, otherwise a warning.",
        "Annotate the object in the chart with `helm.sh/resource-policy: keep`.",
    ),
    Code(
        "PR502",
        "a hook would delete an existing object",
        ("error", "warning"),
        "all",
        "Before Helm runs a hook, it deletes the object of the same name (`before-hook-creation`, the default delete "
        "policy) without checking the owner. The live object is not an earlier run of the hook: it has no "
        "`helm.sh/hook` annotation. Helm 3 does not pass hooks to a post-renderer; there, only `postrender plan` and "
        "`postrender lint` report this.",
        "Rename the hook or the object.",
    ),
    Code(
        "PR503",
        "rollback past this upgrade will fail",
        ("warning",),
        "all",
        "The object leaves the chart and is kept: it is live but in no stored manifest. A rollback to a revision that "
        "contains it fails half way: up to Helm 3.21, 4.0.4 and in 4.1 for every kind (`no X with the name ... found`, "
        "`original object ... not found`), with Helm 3.22, 4.0.5 and 4.2 only client-side for a custom resource "
        "(`metadata.resourceVersion: ... must be specified for an update`).",
        "Instead of `helm rollback`, run `helm upgrade` with the older chart: an upgrade adopts the object.",
    ),
    Code(
        "PR504",
        "only the live annotation says `keep`",
        ("warning",),
        "all",
        "The live object is annotated `helm.sh/resource-policy: keep`; the stored manifest and the chart are not. An "
        "upgrade that removes the object from the chart reads the live annotation, but `helm uninstall` reads the "
        "stored manifest and deletes the object.",
        "Add the annotation to the chart.",
    ),
    Code(
        "PR505",
        "values of an adopted Secret change",
        ("warning",),
        "all",
        "The Secret existed before this release, and the chart changes some of its keys. Charts that generate "
        "passwords with `randAlphaNum` generate new ones when they adopt the Secret. Clients that use the old values "
        "lose access: a database keeps the password it was created with.",
        "Run Helm with the flag in the finding (`--keep-live secrets/login:data.password`), or annotate the Secret in "
        "the chart: `postrender/keep-live: data.password`. Helm then gets the live values. Or set the live values in "
        "the chart's values.",
    ),
    Code(
        "PR506",
        "new object would conflict at the next upgrade",
        ("warning",),
        "4.0.0",
        "Helm 4.0.0 creates new objects of an upgrade with a plain POST, so the API server records their fields as "
        "set client-side. The next upgrade applies the same fields server-side and conflicts with them.",
        "Use Helm 4.0.1 or later, or run the next upgrade with `--force-conflicts`.",
    ),
    Code(
        "PR507",
        "Helm skips the object: unknown hook event",
        ("warning",),
        "all",
        "The annotation `helm.sh/hook` contains an event that Helm does not know. Helm then neither runs nor installs "
        "the object, even if other events in the annotation are valid, and only logs `skipping unknown hook`. Case "
        "does not matter. Helm 3 does not pass hooks to a post-renderer, so only Helm 4 and plans of whole charts "
        "report this.",
        "Correct the annotation in the chart.",
    ),
    Code(
        "PR508",
        "stored manifest names an API no longer served",
        ("error",),
        "all",
        "Helm compares the chart with the stored manifest, and first looks up each object of both. The API server no "
        "longer serves the apiVersion of this stored object: a Kubernetes upgrade removed the API, or a CRD version is "
        "no longer served. The upgrade fails with `unable to build kubernetes objects from current release manifest`, "
        "even if the chart uses the new apiVersion; an uninstall and a rollback fail too.",
        "Run the command in the finding: `postrender unserved` writes the served apiVersion into every stored "
        "revision, and removes objects of kinds that no longer exist.",
    ),
    Code(
        "PR601",
        "Argo CD adopts the object",
        ("info",),
        "Argo CD",
        "Argo CD identifies an object by group, kind, namespace and name and checks no owner: it applies the chart's "
        "manifest, and the object belongs to the Application from then on. Helm's ownership metadata has no effect. "
        "Fields that the chart lacks stay, client-side or server-side, because Argo CD removes only what it applied.",
        "No action is needed.",
    ),
    Code(
        "PR602",
        "`keep` does not stop Argo CD from pruning",
        ("warning",),
        "Argo CD",
        "Argo CD honors `helm.sh/resource-policy: keep` when an Application is deleted with its resources, but not "
        "when the object leaves the chart and the Application prunes. Only the sync option `Prune=false` (annotation "
        "`argocd.argoproj.io/sync-options`) prevents that.",
        "Set `--prune-false`, or the parameter `prune-false`: it adds the sync option to every object that the chart "
        "keeps.",
    ),
    Code(
        "PR603",
        "a Helm release of this name is installed",
        ("warning",),
        "Argo CD",
        "A Helm release with the Application's release name and namespace is still installed. Two tools would manage "
        "the object: `helm upgrade` reverts what Argo CD applied, and `helm uninstall` deletes it.",
        "If Argo CD takes over, delete the release's stored revisions (Secrets of type helm.sh/release.v1); its "
        "objects stay.",
    ),
    Code(
        "PR604",
        "another Application tracks the object",
        ("warning",),
        "Argo CD",
        "The live object has the tracking annotation of another Argo CD Application. Argo CD reports a "
        "SharedResourceWarning and still applies; the two Applications keep overwriting each other.",
        "Remove the object from one of the Applications.",
    ),
    Code(
        "PR901",
        "Helm version unknown",
        ("error",),
        "all",
        "Helm versions differ in what they do to this object, and postrender could not determine which Helm will read "
        "the output.",
        "Set `--helm-version`, for example `--helm-version 3.21.4`.",
    ),
)

CODES: dict[str, Code] = {code.code: code for code in _ALL}
